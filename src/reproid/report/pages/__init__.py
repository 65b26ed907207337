"""One module per kind of page: a frozen view of plain words and numbers, and the function that builds it."""
