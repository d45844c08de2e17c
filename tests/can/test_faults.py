# SPDX-License-Identifier: Apache-2.0
"""Faults of the bus, which the slcan ports of user-mode Linux can have: bus-off, a wrong bit rate, a cable that is out."""

import sys
import time

from can_rig import BITRATE, BUS, Site, bring_up, run_tests
from test_gateway import assert_nothing_old, changed

GATEWAY, INVERTER = 0, 1  # their ports


def test_bus_off_is_counted_and_left():
    with Site() as site:
        site.start()
        errors = site.link()["errors"]
        BUS.force_bus_off(GATEWAY)
        link = site.wait_for_link("bus-off", lambda link: link["link"] == "error")
        assert link["detail"].startswith("bus off") and link["errors"] > errors, link
        since = time.time()
        site.wait_for_limits(since, 5)
        site.wait_until_up()
        assert site.link()["detail"] == "", site.link()


def told(site, state):
    return open(site.gateway.log).read().count(f"can0: {state}")


def test_a_bus_with_another_bit_rate():
    with Site() as site:
        bring_up("can1", BITRATE // 2)
        site.start(limits=False)
        site.wait_for_link("bus-off, again and again", lambda link: link["detail"].startswith("bus off") and link["errors"] >= 2, 15)
        changed(site)
        time.sleep(4)
        assert told(site, "bus off") == 1, open(site.gateway.log).read()  # however often it comes back
        since = time.time()
        bring_up("can1", BITRATE)
        assert_nothing_old(site, since, sets=2)  # nothing was heard, so the next one may be due at any time
        site.wait_until_up()


def test_a_cable_that_was_out():
    with Site() as site:
        site.start()
        BUS.plug(GATEWAY, False)
        site.wait_for_link("that nobody acknowledges", lambda link: link["link"] == "error")
        changed(site)
        time.sleep(4)
        assert told(site, "passive") == 1, open(site.gateway.log).read()
        site.wait_for_the_middle_of_a_period()
        since = time.time()
        BUS.plug(GATEWAY, True)
        assert_nothing_old(site, since)
        site.wait_until_up()


def test_an_inverter_that_was_off():
    with Site() as site:
        BUS.plug(INVERTER, False)
        site.start(limits=False)
        link = site.wait_for_link("that nobody acknowledges", lambda link: link["link"] == "error")
        assert "nobody acknowledges" in link["detail"] and not link["present"], link
        changed(site)
        since = time.time()
        BUS.plug(INVERTER, True)
        assert_nothing_old(site, since, sets=2)
        site.wait_for_link("the inverter is there", lambda link: link["link"] == "up" and link["present"])


if __name__ == "__main__":
    run_tests(sys.modules[__name__])
