"""`application.conf`: how it is read, and the typed settings of each part."""
