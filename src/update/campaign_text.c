// SPDX-License-Identifier: Apache-2.0
/* Words for people. */
#include "campaign.h"

const char *update_error_text(enum update_error error)
{
	switch (error) {
	case UPDATE_FINE: return "";
	case UPDATE_NO_ANSWER: return "does not answer";
	case UPDATE_NOT_OURS: return "is no pack that takes this kind of image";
	case UPDATE_MIXED: return "is of another type than the first pack";
	case UPDATE_NO_IMAGE: return "the release has no image for its type and slot";
	case UPDATE_MISFIT:
		return "the image does not fit its hardware, its loader or its security counter";
	case UPDATE_OLDER: return "runs a newer version already";
	case UPDATE_PROTECTED: return "is in protection or has a fault";
	case UPDATE_CHARGE: return "its state of charge leaves no room (10 to 95 % is wanted)";
	case UPDATE_ALONE: return "is the only pack: its restart would cut the supply";
	case UPDATE_BAD_BUS: return "the bus has too many errors";
	case UPDATE_LOCKED: return "does not accept the key";
	case UPDATE_REFUSED: return "refused";
	case UPDATE_TOO_LONG: return "took too long";
	case UPDATE_REVERTED: return "went back to its old image";
	case UPDATE_SICK: return "is not well with the new image; it was sent back to the old one";
	case UPDATE_SETTINGS_LOST:
		return "lost settings with the new image; it was sent back to the old one";
	}
	return "";
}

const char *update_progress_text(enum update_progress progress)
{
	switch (progress) {
	case UPDATE_WAITS: return "waits";
	case UPDATE_LOOKED_AT: return "looked at";
	case UPDATE_ERASES: return "erases";
	case UPDATE_RECEIVES: return "receives";
	case UPDATE_LOADED: return "loaded and checked";
	case UPDATE_LEAVES: return "leaves the bank";
	case UPDATE_RESTARTS: return "restarts";
	case UPDATE_ON_TRIAL: return "on trial";
	case UPDATE_CONFIRMED: return "confirmed";
	}
	return "";
}

/* Register 3007. */
const char *update_why_text(uint8_t why)
{
	static const char *const texts[] = {
		"",
		"device class",
		"hardware revision",
		"size",
		"offset",
		"flash",
		"hash",
		"signature",
		"security counter",
		"battery in protection or empty",
		"not authorized",
		"loader too old",
		"linked for another slot",
		"no image",
		"not in this state",
		"unlock code",
	};

	return why < sizeof texts / sizeof *texts ? texts[why] : "unknown reason";
}
