"""Local servers that speak the part of Twilio's, Stripe's and Telegram's HTTP interfaces that Plainbill uses.

They import nothing of ours, so that the production adapters meet them as they meet the providers: by base address.
Each journals to disk everything it was asked and everything it sent, and recovers from that file after a crash.
"""
