"""Telephone calls over RTP (RFC 3550): datagrams in, sessions out."""
