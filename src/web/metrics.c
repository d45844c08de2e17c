// SPDX-License-Identifier: Apache-2.0
/* Prometheus metrics in the text format 0.0.4: the lines, and the page made of all parts. */
#include "metrics.h"

#include <stdlib.h>

void metric_begin(struct sheet *sheet, const char *kind, const char *name, const char *help)
{
	snprintf(sheet->name, sizeof sheet->name, "onepack_%s", name);
	fprintf(sheet->out, "# HELP %s %s\n# TYPE %s %s\n", sheet->name, help, sheet->name, kind);
}

static void start_line(const struct sheet *sheet, const char *labels)
{
	fputs(sheet->name, sheet->out);
	if (labels[0])
		fprintf(sheet->out, "{%s}", labels);
	fputc(' ', sheet->out);
}

void metric_count(const struct sheet *sheet, const char *labels, int64_t value)
{
	start_line(sheet, labels);
	fprintf(sheet->out, "%lld\n", (long long)value);
}

void metric_decimal(const struct sheet *sheet, const char *labels, int32_t thousandths)
{
	if (thousandths == FIELD_UNKNOWN)
		return;
	start_line(sheet, labels);
	print_decimal(sheet->out, thousandths);
	fputc('\n', sheet->out);
}

void metric_age(const struct sheet *sheet, const char *labels, int64_t then_ms, int64_t now_ms)
{
	if (then_ms == 0)
		return;
	start_line(sheet, labels);
	fprintf(sheet->out, "%.3f\n", (double)(now_ms - then_ms) / 1000.0);
}

const char *metric_label(const char *text, char out[METRIC_LABEL_SIZE])
{
	size_t used = 0;

	for (; *text && used < METRIC_LABEL_SIZE - 3; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			out[used++] = '\\';
		out[used++] = c < ' ' || c > '~' ? '?' : (char)c;
	}
	out[used] = '\0';
	return out;
}

enum MHD_Result api_metrics(struct request *request)
{
	struct battery battery;
	struct sheet sheet;
	char *text = NULL;
	size_t size = 0;

	sheet.out = open_memstream(&text, &size);
	if (!sheet.out)
		return MHD_NO;
	board_battery(request->web->board, &battery);
	metrics_print_battery(&sheet, &battery);
	metrics_print_links(&sheet, request->web);
	fclose(sheet.out);
	return reply_text(request, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", text,
			  size);
}
