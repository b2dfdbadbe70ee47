"""Addresses to units: text in, codes with the day of their list out (phân giải địa chỉ hành chính)."""

from lienthong.standardise.addresses.resolving import ONE, RESOLVED_SCHEMA, SEVERAL, UNKNOWN, Resolver, resolve

__all__ = ["ONE", "RESOLVED_SCHEMA", "SEVERAL", "UNKNOWN", "Resolver", "resolve"]
