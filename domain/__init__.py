"""What the service knows and decides: tables, transactions' work, rules."""
