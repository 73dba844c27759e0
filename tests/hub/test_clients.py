"""Servers are OAuth clients of their own, whatever their names are."""

from __future__ import annotations

from kamp_lib.hub.clients import KnownClients, client_id


def test_no_two_servers_share_a_client() -> None:
    assert client_id("a", "b-c") != client_id("a-b", "c")


def test_a_report_server_may_know_its_visitors_name() -> None:
    assert client_id("acme", "report") in KnownClients()


def test_a_workspace_has_to_ask() -> None:
    assert client_id("acme", "ann") not in KnownClients()
    assert client_id("acme", "x-report") not in KnownClients()


def test_services_are_known_by_name_only() -> None:
    known = KnownClients({"service-portal"})
    assert "service-portal" in known
    assert "service-other.report" not in known
