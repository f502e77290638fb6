"""What a plugin is, and how it is run. An author imports everything from here."""
