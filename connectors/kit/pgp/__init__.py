"""PGP by GnuPG: keys are looked at, files decrypted and encrypted as streams; plain text never lies on a disk."""
