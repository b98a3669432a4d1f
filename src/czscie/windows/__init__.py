"""What Windows shows of an executable and how it starts it: resources of a launcher."""
