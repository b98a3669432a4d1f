int moo;
