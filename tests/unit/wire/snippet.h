// SPDX-License-Identifier: Apache-2.0
/* Protocols written inside a test: a head for CAN, and the fields that matter. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "wire_internal.h"

#define CAN_HEAD "title: t\nsource: s\ncan: {bitrate: 500000}\n"

static inline struct wire *load_text(const char *text, FILE *errors)
{
	struct doc *doc = doc_parse("test/t.yaml", text, strlen(text), errors);
	struct wire *wire = doc ? wire_load_doc(doc, "test/t.yaml") : NULL;

	doc_free(doc);
	return wire;
}

/* One CAN message 0x100 with these fields (flow style, comma separated). */
static inline struct wire *load_fields(const char *fields)
{
	char text[4000];

	snprintf(text, sizeof text,
		 CAN_HEAD "options: {o: {default: no}, n: {default: a, values: [a, b]}}\n"
			  "messages:\n  - {id: 0x100, name: m, fields: [%s]}\n",
		 fields);
	return load_text(text, stderr);
}
