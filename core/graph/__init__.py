"""What a tensor expression is: nodes in Einstein notation, operators as records, and their algebra."""
