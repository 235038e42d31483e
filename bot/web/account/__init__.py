"""The account's own pages behind a link's door: what is owed and why, paying, help, disputes, receipts, wishes."""
