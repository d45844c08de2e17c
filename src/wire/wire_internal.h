// SPDX-License-Identifier: Apache-2.0
/* What the files of src/wire share: a loaded protocol, its messages as layouts, and the door by
 * which a framing plugs in. The schema is explained in protocols/README.md.
 *
 * Layers: load*.c turn YAML into these structs; layout*.c turn fields into bytes and back and know
 * nothing of frames; a framing (framing_*.c) knows frames and addresses and hands the
 * bytes between to the layout. */
#pragma once

#include "onepack/doc.h"
#include "onepack/wire.h"

#define WIRE_MAX_NAME     64
#define WIRE_MAX_CHOICES  8   /* words of one option */
#define WIRE_MAX_LAYOUT   600 /* bytes of one message, counted repeats at their fullest included */
#define WIRE_MAX_MESSAGES 64

enum byte_order { ORDER_LITTLE, ORDER_BIG };

/* --- quantities: what a name in a file means --- */

enum scope { SCOPE_BATTERY, SCOPE_PACK, SCOPE_INVERTER };

struct layout; /* where encoding or decoding stands; layout.h */

/* A member of a struct, or a derived value with functions (quantity.c, derived_*.c). Values are in
 * the vocabulary's units, FIELD_UNKNOWN for unknown. */
struct quantity {
	const char *name;
	enum unit unit;
	size_t offset; /* of the int32_t, when there are no functions */
	int32_t (*get)(const struct layout *at);
	void (*set)(const struct layout *at, int32_t value); /* NULL = not understood, only sent */
};

/* --- conditions: `when: {option: value}` or `{option: not value}` --- */

struct condition {
	int option; /* -1 = always */
	int32_t value;
	bool negated;
};

bool condition_holds(const struct condition *when, const struct wire_context *ctx);

/* --- items: one entry of `fields:` --- */

enum item_kind {
	ITEM_VALUE,
	ITEM_TEXT,
	ITEM_VERSION,
	ITEM_CONST,
	ITEM_LITERAL,
	ITEM_SKIP,
	ITEM_BITS,
	ITEM_PAIRS,
	ITEM_REPEAT,
	ITEM_WHEN,
	ITEM_HOOK,
};

enum rounding { ROUND_NEAREST, ROUND_DOWN, ROUND_UP };

/* What goes out for an unknown value. */
enum substitute_kind { SUBSTITUTE_QUANTITY, SUBSTITUTE_VALUE, SUBSTITUTE_RAW };

#define WIRE_MAX_SUBSTITUTES 4

struct substitute {
	enum substitute_kind kind;
	struct quantity quantity;
	int64_t number; /* value in the vocabulary's unit, or raw */
};

enum bit_kind { BIT_CONST, BIT_FLAG, BIT_FIELD_IS, BIT_ALARM, BIT_RANGE };

#define BIT_PROTECTION 1
#define BIT_WARNING    2

#define WIRE_MAX_RANGE_WORDS 8

/* One entry of `bits:` or `pairs:`. */
struct bit {
	enum bit_kind kind;
	uint8_t low, width; /* position from the least significant bit */
	bool inverted;      /* not FLAG */
	bool no_data;       /* also set for a battery without data */
	bool other;         /* also set for alarms that no bit of the message names */
	uint8_t severity;   /* BIT_PROTECTION | BIT_WARNING */
	alarm_set named;    /* set and read */
	alarm_set also;     /* set, not read */
	alarm_set read;     /* read, not set */
	struct quantity quantity;
	int32_t value;  /* of BIT_FIELD_IS, BIT_CONST */
	int word_count; /* of BIT_RANGE; 0 = a plain number */
	struct {
		int32_t field, raw;
	} words[WIRE_MAX_RANGE_WORDS];
};

enum repeat_of { REPEAT_CELLS, REPEAT_TEMPERATURES, REPEAT_PACKS };

#define WIRE_MAX_WORDS 16 /* `values:` of one field */

/* One of the `values:` of a field. */
struct word {
	int32_t field, raw;
};

struct item {
	enum item_kind kind;
	const char *help; /* or NULL */
	/* the number on the wire; size is the byte count of anything but repeat and when */
	uint16_t size;
	bool is_signed;
	int order; /* enum byte_order, -1 = the message's */

	/* ITEM_VALUE */
	const struct quantity *quantities; /* first known wins when sent, first is set when read */
	int quantity_count;
	char unit_symbol[8]; /* as the file says it */
	int32_t unit_step; /* how many of the vocabulary's steps (mV, mpct, ...) one raw step is */
	int64_t offset, min, max; /* raw offset; limits in the vocabulary's unit */
	bool negative, absolute, per_cell;
	bool only_sent;  /* the same is said better elsewhere: not read */
	bool never_zero; /* a charge voltage */
	enum rounding rounding;
	const int64_t *invalid;
	int invalid_count;
	const struct substitute *substitutes;
	int substitute_count;
	const struct word *words;
	int word_count;

	/* ITEM_TEXT, ITEM_VERSION, ITEM_LITERAL */
	const struct field_text *text;
	enum scope text_scope;
	char pad;
	uint8_t part;
	const char *fallback, *always; /* fallback: also the literal */

	/* ITEM_CONST */
	int64_t constant;

	/* ITEM_BITS, ITEM_PAIRS */
	const struct bit *bits;
	int bit_count;

	/* ITEM_REPEAT, ITEM_WHEN */
	const struct item *items;
	int item_count;
	enum repeat_of repeat;
	int first, count;      /* 0-based first element; elements sent */
	uint8_t counted_size;  /* bytes of the number in front, 0 = none */
	struct condition when; /* ITEM_WHEN */

	/* ITEM_HOOK */
	const struct hook *hook;
};

/* --- messages --- */

/* What the INFO of a Pylon question holds, and of whom it may be asked. */
enum pylon_asks {
	PYLON_ASKS_NOTHING,
	PYLON_ASKS_ADDRESS, /* the address again */
	PYLON_ASKS_MODULE,  /* the address, or FF to the master of a group for all its modules */
	PYLON_ASKS_ALL,     /* FF: only asked by a master, the answer lists all modules */
	PYLON_ASKS_SYSTEM,  /* nothing, and only the master of a group answers */
};

struct message {
	const char *name, *help;
	uint32_t id; /* CAN id, first register, CID2 */
	bool extended, from_inverter, id_plus_address;
	bool withhold_zeros; /* CAN: not sent while every byte is 0 */
	int32_t period_ms;
	enum scope scope;
	struct condition when;
	const struct item *items;
	int item_count;
	int length; /* bytes at least, zeros behind the fields; 0 = as the fields say */
	/* Modbus */
	int record_type; /* JK record, 0 = none */
	uint32_t record_trigger;
	bool write_acknowledge;
	/* Pylon */
	enum pylon_asks request;
	int refuse;                /* answered with this return code; 0 = answered */
	int line, column;          /* in the file */
	enum wire_framing framing; /* the protocol's, or one of the two of a dual one */
};

/* --- options --- */

enum option_kind { OPTION_FLAG, OPTION_CHOICE, OPTION_RANGE };

struct option {
	const char *name, *help;
	enum option_kind kind;
	int32_t fallback, low, high;
	int choice_count;
	const char *choices[WIRE_MAX_CHOICES];
};

/* --- framings --- */

struct can_settings {
	int32_t period_ms;
};

struct modbus_settings {
	bool byte_registers; /* register numbers are byte offsets; the quantity still counts words
			      */
	uint32_t functions;  /* bit n: function n is served */
	int max_words;       /* in one read */
	int refuse;          /* exception code for writes that nobody takes */
	bool voltronic;      /* answers as the option `reply` says (rtu_wide.h), undefined
				registers are 0, every refusal is 2 */
};

struct pylon_settings {
	int version; /* -1 = as in the question */
	int cid1;
	int address;     /* the default */
	bool any_master; /* without a configured address, every master's is answered */
};

/* One row per framing. A NULL function means ERR_UNSUPPORTED. The contracts are those of the
 * public functions of the same name in onepack/wire.h. */
struct framing_ops {
	const char *key;         /* "can", "modbus", "pylon": the top-level key of the file */
	const char *message_key; /* "id", "registers", "command" */
	enum byte_order order;   /* unless the file says otherwise */
	/* reads `can: {...}`; and checks every message once all are loaded */
	void (*load)(struct doc *doc, const yaml_node_t *node, struct wire *wire);
	void (*check)(struct doc *doc, struct wire *wire);
	int (*scan)(const struct wire *wire, enum wire_side side, const uint8_t *bytes,
		    size_t count, size_t *start);
	int (*answer)(const struct wire *wire, const struct wire_context *ctx, const void *who,
		      const uint8_t *frame, size_t count, uint8_t *out, size_t size);
	int (*request)(const struct wire *wire, int index, const struct wire_context *ctx,
		       int address, uint8_t *out, size_t size);
	int (*response)(const struct wire *wire, int index, const struct wire_context *ctx,
			int address, const uint8_t *bytes, size_t count, struct wire_values *out);
	int (*response_length)(const struct wire *wire, int index);
	int (*decode)(const struct wire *wire, const struct wire_context *ctx,
		      struct wire_listener *listener, const uint8_t *frame, size_t count,
		      struct wire_values *out);
};

extern const struct framing_ops framing_can, framing_modbus, framing_pylon, framing_dual,
	framing_jk4e, framing_niu;

/* See struct wire_info. */
int pylon_home_address(const struct wire *wire);

/* --- the protocol --- */

struct wire {
	char *id;
	const char *title, *source, *maturity, *check_first;
	enum wire_framing framing;
	const struct framing_ops *ops;
	enum wire_scope scope;
	enum byte_order order;
	uint32_t bitrate;
	bool even_parity;
	int default_address, first_address, last_address;
	struct wire_polling polling;
	int32_t silence_ms, inverter_lost_ms;
	struct can_settings can;
	struct modbus_settings modbus;
	struct pylon_settings pylon;
	struct option options[WIRE_MAX_OPTIONS];
	int option_count;
	struct message *messages;
	int message_count;
	void **owned; /* every allocation that items and texts point into */
	int owned_count;
};

/* Loads from a document (which stays the caller's); the id is made from the path. */
struct wire *wire_load_doc(struct doc *doc, const char *path);

/* The file of an id in the folders that are searched; false if there is none. */
bool wire_find(const char *id, char *path, size_t size);

/* Memory that lives as long as the protocol; NULL when there is none. */
void *wire_keep(struct wire *wire, size_t size);
const char *wire_keep_text(struct wire *wire, const char *text);

/* Own address: the context's, or the profile's default when that is -1. */
int wire_address(const struct wire *wire, const struct wire_context *ctx);

/* The value of the option of that name, `fallback` if the file has none. */
int32_t wire_option(const struct wire *wire, const struct wire_context *ctx, const char *name,
		    int32_t fallback);

/* Is this message there under these options? */
bool message_is_on(const struct message *message, const struct wire_context *ctx);

/* --- layout: the bytes of one message --- */

/* Encodes all items. `who` is a struct battery, pack or inverter_view, by message->scope. Returns
 * the number of bytes; ERR_UNKNOWN when a value is unknown and the file has nothing to send for it;
 * ERR_SPACE. With `unknown` (size bytes) an unknown value is no failure: its bytes are zero and
 * marked 1 there, all others 0. */
int layout_encode(const struct wire *wire, const struct message *message,
		  const struct wire_context *ctx, enum byte_order order, const void *who,
		  uint8_t *out, size_t size, uint8_t *unknown);

/* Reads the items that lie wholly in bytes[0..count-1], where bytes[0] is byte `first` of the
 * message (0, or the place of the first register of a read). Returns how many items were read, 0
 * when the bytes are too short for any; the rest of `out` stays. */
int layout_decode(const struct wire *wire, const struct message *message,
		  const struct wire_context *ctx, enum byte_order order, const uint8_t *bytes,
		  size_t count, size_t first, struct wire_values *out);

/* Bytes of the message under these options with counted repeats at their fullest. */
int layout_size(const struct message *message, const struct wire_context *ctx);

/* Bytes of the message by the counts that stand in these bytes; -1 when they end before a count. */
int layout_measure(const struct message *message, const struct wire_context *ctx,
		   enum byte_order order, const uint8_t *bytes, size_t count);
