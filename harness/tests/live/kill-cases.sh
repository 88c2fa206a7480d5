cases() { :; }
