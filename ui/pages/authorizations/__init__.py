"""Authorizations: how Causeway signs in to other systems."""
