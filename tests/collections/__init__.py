"""What is past due: assistance, offers, write-offs, agencies."""
