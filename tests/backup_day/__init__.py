"""Days on which backups are needed: programs that destroy for ransom, sticks pulled out, a laptop that is gone."""
