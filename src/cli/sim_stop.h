// SPDX-License-Identifier: Apache-2.0
/* Shared by the commands of `onepack sim`. */
#pragma once

/* A descriptor that becomes readable with SIGINT, SIGTERM, or after so many seconds (0 = never):
 * the polite way to end a loop around poll. -1 with errno when it cannot be. */
int sim_stop_fd(double seconds);

/* `onepack sim inverter` and `onepack sim firmware`, as command_sim() does for the rest. */
int sim_inverter(int argc, char **argv);
int sim_firmware(int argc, char **argv);
