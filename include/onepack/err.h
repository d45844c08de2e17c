// SPDX-License-Identifier: Apache-2.0
/* Error numbers of the pure code. Functions that can fail return 0 or a count when fine and one of
 * these, always negative, when not; out-parameters are untouched then. I/O code returns -errno
 * instead (errno values are small and positive, these start at -1000, so the two never meet). */
#pragma once

enum err {
	ERR_NOT_MINE =
		-1000, /* well-formed, but for somebody else: another address, another frame kind */
	ERR_INCOMPLETE = -1001, /* not wrong so far; more bytes are needed */
	ERR_CHECKSUM = -1002,   /* sum, CRC or length check failed */
	ERR_FORMAT = -1003, /* the bytes break the framing or name something that does not exist */
	ERR_RANGE = -1004,  /* a value outside what the field can mean */
	ERR_UNSUPPORTED = -1005, /* understood, but not possible for this protocol */
	ERR_SPACE = -1006,       /* the caller's buffer is too small */
	ERR_TIMEOUT = -1007,     /* nothing, or not enough, arrived in time */
	ERR_FOREIGN = -1008, /* an answer to a question that we did not ask: another master is on
				the line */
	ERR_UNKNOWN = -1009, /* a needed value is unknown, so nothing can be said */
};

/* A word for a counter, a log line or a metric label, e.g. "checksum"; "error" for anything else.
 */
const char *err_name(int err);
