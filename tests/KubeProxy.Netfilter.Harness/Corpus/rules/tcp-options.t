:c;type filter hook input priority 0
*inet;t;c

tcp option maxseg size 1460;ok
tcp option maxseg size != 1000-1400;ok
tcp option maxseg size { 536, 1220 };ok
tcp option window count 7;ok
tcp option sack-perm exists;ok
tcp option sack-perm missing;ok
tcp option timestamp tsval 1;ok
tcp option timestamp tsecr != 2;ok
tcp option sack left 1;ok
tcp option sack1 right 2;ok
tcp option fastopen exists;ok
tcp option mptcp exists;ok
tcp option md5sig missing;ok
tcp option maxseg size set rt mtu;ok
tcp option maxseg size set 1360;ok
reset tcp option sack-perm;ok
tcp option 253 exists;ok
tcp option nop missing;ok
sctp chunk init exists;ok
sctp chunk data flags 1;ok
sctp chunk data tsn 9;ok
sctp chunk init-ack num-inbound-streams { 3, 4 };ok
sctp chunk abort missing;ok
sctp chunk shutdown cum-tsn-ack 8;ok
