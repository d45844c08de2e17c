// SPDX-License-Identifier: Apache-2.0
/* Commands about scenarios; each takes its own arguments and returns the exit status. */
#pragma once

int sim_shrink(int argc, char **argv);
int sim_draw(int argc, char **argv);
int sim_faults(void);
