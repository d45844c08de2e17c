// SPDX-License-Identifier: Apache-2.0
/* onepack sim shrink: takes its own arguments and returns the exit status. */
#pragma once

int sim_shrink(int argc, char **argv);
