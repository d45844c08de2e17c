// SPDX-License-Identifier: Apache-2.0
/* Words for error numbers. */
#include "onepack/err.h"

const char *err_name(int err)
{
	switch (err) {
	case ERR_NOT_MINE: return "not_mine";
	case ERR_INCOMPLETE: return "incomplete";
	case ERR_CHECKSUM: return "checksum";
	case ERR_FORMAT: return "format";
	case ERR_RANGE: return "range";
	case ERR_UNSUPPORTED: return "unsupported";
	case ERR_SPACE: return "space";
	case ERR_TIMEOUT: return "timeout";
	case ERR_FOREIGN: return "foreign";
	case ERR_UNKNOWN: return "unknown";
	default: return "error";
	}
}
