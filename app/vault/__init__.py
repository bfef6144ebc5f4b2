"""Where secrets lie: in the operating system's keyring, or in a file encrypted under a passphrase."""

from app.vault.vault import Vault, VaultState

__all__ = ["Vault", "VaultState"]
