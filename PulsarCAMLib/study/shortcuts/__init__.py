"""May a network answer by the scanner? Columns that ought to have no say, told from images, and telling the class."""
