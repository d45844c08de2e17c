// SPDX-License-Identifier: Apache-2.0
/* Doubles that must agree within a tolerance; cmocka's own check works in single precision. */
#pragma once

#include <math.h>
#include <stdio.h>

#define assert_near(value, expected, tolerance) \
	near_or_fail((value), (expected), (tolerance), __FILE__, __LINE__)

static inline void near_or_fail(double value, double expected, double tolerance, const char *file,
				int line)
{
	if (fabs(value - expected) <= tolerance)
		return;
	print_error("%.9g is not %.9g +- %g\n", value, expected, tolerance);
	_fail(file, line);
}
