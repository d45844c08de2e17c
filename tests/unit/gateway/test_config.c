// SPDX-License-Identifier: Apache-2.0
/* The configuration file: what it says arrives in the struct, what it leaves out has its documented
 * default, and every mistake is told at once, at its place. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

struct loaded {
	struct config config;
	bool good;
	char *complaints;
	size_t size;
};

static struct loaded *load(const char *text)
{
	char path[] = "/tmp/onepack-config.XXXXXX";
	struct loaded *loaded = calloc(1, sizeof *loaded);
	FILE *file = fdopen(mkstemp(path), "w"),
	     *errors = open_memstream(&loaded->complaints, &loaded->size);

	fputs(text, file);
	fclose(file);
	loaded->good = config_load(path, &loaded->config, errors);
	fclose(errors);
	unlink(path);
	return loaded;
}

static void unload(struct loaded *loaded)
{
	free(loaded->complaints);
	free(loaded);
}

static void everything_arrives(void **state)
{
	struct loaded *loaded = load(
		"identity: {gateway: cellar, manufacturer: Me, model: Rack, serial: \"7\"}\n"
		"buses:\n"
		"  - {name: a, port: /dev/ttyUSB0, baud: 9600, protocol: pack/jk-pb, addresses: \"1,3,5-7\"}\n"
		"  - {port: /dev/ttyUSB1, addresses: [2, 4-5]}\n"
		"inverters:\n"
		"  - {protocol: can/pylon-lv-1.2, port: can0, bitrate: 250000, options: {pad: yes}}\n"
		"  - {protocol: rs485/pylon-lv-3.3, port: /dev/ttyUSB2, baud: 115200, address: 0x12}\n"
		"battery: {packs_expected: 5, charge_current_max_a: 120.5}\n"
		"web: {listen: \"0.0.0.0:80\", password_hash: x, root: /srv, demo_control: /run/c}\n"
		"mqtt: {host: broker, ca_file: /ca.pem, username: u, password: p, interval_s: 2.5}\n"
		"store: {path: /tmp/h.db, batch_s: 300, keep_10s_days: 3}\n"
		"update: {key: /etc/maker.pem, watch_s: 90}\n");
	const struct config *config = &loaded->config;
	struct inverter_config links[STATUS_MAX_INVERTERS];

	(void)state;
	assert_string_equal(loaded->complaints, "");
	assert_true(loaded->good);
	assert_string_equal(config->gateway, "cellar");
	assert_string_equal(config->identity.model, "Rack");
	assert_int_equal(config->bus_count, 2);
	assert_string_equal(config->buses[0].name, "a");
	assert_int_equal(config->buses[0].baud, 9600);
	assert_int_equal(config->buses[0].addresses, 0xEA); /* bits 1, 3, 5, 6, 7 */
	assert_string_equal(config->buses[1].name, "bus2");
	assert_int_equal(config->buses[1].addresses, 0x34);
	assert_int_equal(config_links(config, links), 2);
	assert_string_equal(links[0].port, "can0");
	assert_int_equal(links[0].bitrate, 250000);
	assert_string_equal(links[0].options[0].name, "pad");
	assert_string_equal(links[0].options[0].value, "yes");
	assert_int_equal(links[1].address, 0x12);
	assert_int_equal(config->fusion.packs_expected, 5);
	assert_int_equal(config->fusion.charge_current_max_ma, 120500);
	assert_string_equal(config->web.listen, "0.0.0.0:80");
	assert_true(config->mqtt.enabled);
	assert_int_equal(config->mqtt.port, 8883); /* a CA file means TLS */
	assert_int_equal(config->mqtt.interval_ms, 2500);
	assert_string_equal(config->mqtt.gateway, "cellar");
	assert_string_equal(config->web.store_path, "/tmp/h.db");
	assert_int_equal(config->store.batch_ms, 300000);
	assert_int_equal(config->store.keep_10s_days, 3);
	assert_string_equal(config->update.key, "/etc/maker.pem");
	assert_string_equal(config->update.folder, "/tmp");
	assert_int_equal(config->update.watch_ms, 90000);
	assert_string_equal(config->buses[0].state, "/tmp/addresses-a");
	assert_int_equal(config->store.keep_1m_days, 90);
	unload(loaded);
}

static void only_buses_are_mandatory(void **state)
{
	struct loaded *loaded = load("buses: [{port: /dev/ttyUSB0}]\n");

	(void)state;
	assert_string_equal(loaded->complaints, "");
	assert_true(loaded->good);
	assert_string_equal(loaded->config.buses[0].name, "bus1");
	assert_string_equal(loaded->config.buses[0].protocol, "auto");
	assert_int_equal(loaded->config.buses[0].addresses, 0); /* auto */
	assert_int_equal(loaded->config.inverter_count, 0);
	assert_string_equal(loaded->config.web.listen, "127.0.0.1:8080");
	assert_false(loaded->config.mqtt.enabled);
	assert_string_equal(loaded->config.store.path, "/var/lib/onepack/history.db");
	assert_int_equal(loaded->config.fusion.charge_target_cell_mv, 3450);
	assert_true(loaded->config.gateway[0] != '\0');
	unload(loaded);
}

static void all_mistakes_are_told_at_once(void **state)
{
	static const char *const expected[] = {
		":1:21: the gateway's name may have",   ":3:5: 'port' is missing",
		":3:12: 'hello' is not a whole number", ":4:31: addresses are auto",
		":5:1: unknown key 'inverter'",         ":6:7: 'host' is missing",
	};
	struct loaded *loaded = load("identity: {gateway: \"a/b\"}\n"
				     "buses:\n"
				     "  - {baud: hello}\n"
				     "  - {port: /dev/x, addresses: 7-3}\n"
				     "inverter: []\n"
				     "mqtt: {port: 1}\n");

	(void)state;
	assert_false(loaded->good);
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
		if (!strstr(loaded->complaints, expected[i]))
			fail_msg("'%s' is not in:\n%s", expected[i], loaded->complaints);
	unload(loaded);
}

static void a_protocol_and_its_port_must_fit(void **state)
{
	static const struct {
		const char *inverter, *complaint;
	} rows[] = {
		{"{protocol: can/pylon-lv-1.2, port: /dev/ttyACM0}", "slcan:/dev/ttyACM0"},
		{"{protocol: rs485/growatt-2.01, port: can0}", "is RS485"},
		{"{protocol: rs485/growatt-2.01, port: \"slcan:/dev/ttyACM0\"}", "is RS485"},
		{"{protocol: pack/jk-pb, port: /dev/ttyUSB1}", "is a pack protocol"},
		{"{protocol: can/nonsense, port: can0}", "there is no protocol 'can/nonsense'"},
		{"{protocol: can/pylon-lv-1.2, port: can0, options: {pad: perhaps}}", "pad"},
		{"{protocol: can/pylon-lv-1.2, port: /dev/ttyUSB0}", "already used"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[256];

		snprintf(text, sizeof text, "buses: [{port: /dev/ttyUSB0}]\ninverters: [%s]\n",
			 rows[i].inverter);
		struct loaded *loaded = load(text);
		assert_false(loaded->good);
		if (!strstr(loaded->complaints, rows[i].complaint) ||
		    !strstr(loaded->complaints, ":2:"))
			fail_msg("'%s' is not in:\n%s", rows[i].complaint, loaded->complaints);
		unload(loaded);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_arrives),
		cmocka_unit_test(only_buses_are_mandatory),
		cmocka_unit_test(all_mistakes_are_told_at_once),
		cmocka_unit_test(a_protocol_and_its_port_must_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
