// SPDX-License-Identifier: Apache-2.0
/* The commands of `onepack`: one file each, named after the command, and one row in main.c. */
#pragma once

/* argv[0] is the command's own name. Returns the exit status: 0 done, 1 failed, 2 used wrongly. */
int command_fuse(int argc, char **argv);
int command_image(int argc, char **argv);
int command_monitor(int argc, char **argv);
int command_password(int argc, char **argv);
int command_record(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_sim(int argc, char **argv);
int command_update(int argc, char **argv);
int command_version(int argc, char **argv);
int command_why(int argc, char **argv);
int command_wire(int argc, char **argv);
