"""What a file of czscie is made of, byte by byte, and what makes two of them differ."""
