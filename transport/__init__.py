"""HTTP/1.1 as members' programs speak it to their gateway: few words, hard limits, one kind of failure."""
