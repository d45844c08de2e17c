// SPDX-License-Identifier: Apache-2.0
/* `onepack update` over a running gateway, which goes on polling the packs meanwhile. */
#pragma once

int update_gateway(int argc, char **argv);
void update_gateway_help(void);
