-- What a reviewer notes for the people of the own system; it never leaves it.

ALTER TABLE review ADD COLUMN note TEXT;
