:c;type filter hook input priority 0
*ip6;t;c
*inet;t;c

ip6 hoplimit 1;ok
ip6 hoplimit != 1;ok
ip6 hoplimit 1-64;ok
ip6 hoplimit != 1-64;ok
ip6 hoplimit < 64;ok
ip6 hoplimit >= 1;ok
ip6 hoplimit { 1, 64, 255 };ok
ip6 hoplimit != { 1, 255 };ok
ip6 length 40;ok
ip6 length != 40;ok
ip6 length 40-80;ok
ip6 length != 40-80;ok
ip6 length < 80;ok
ip6 length >= 40;ok
ip6 length { 40, 80, 120 };ok
ip6 length != { 40, 120 };ok
ip6 flowlabel 17;ok
ip6 flowlabel != 17;ok
ip6 flowlabel 17-34;ok
ip6 flowlabel != 17-34;ok
ip6 flowlabel < 34;ok
ip6 flowlabel >= 17;ok
ip6 flowlabel { 17, 34, 51 };ok
ip6 flowlabel != { 17, 51 };ok
ip6 version 6;ok
ip6 dscp cs5;ok
ip6 dscp { cs1, cs2 };ok
ip6 ecn ect0;ok
ip6 nexthdr udp;ok
ip6 nexthdr { tcp, udp, sctp };ok
ip6 saddr 2001:db8::1;ok
ip6 daddr 2001:db8::/33;ok
ip6 saddr ::/0 counter;ok
ip6 saddr 2001:db8::1-2001:db8::ff;ok
ip6 daddr { fe80::/10, 2001:db8:1::/48 };ok
ip6 saddr != { ::1, 2001:db8::5 };ok
ip6 saddr . ip6 daddr { 2001:db8::1 . 2001:db8::2 };ok
ip6 saddr ::ffff:192.0.2.1;ok
ip6 hoplimit set 7;ok
ip6 dscp set af31;ok
ip6 daddr set 2001:db8::9;ok
frag frag-off 33;ok
frag more-fragments 1;ok
frag id 77;ok
frag nexthdr tcp;ok
exthdr hbh exists;ok
exthdr frag missing;ok
hbh hdrlength 2;ok
dst nexthdr udp;ok
rt type 2;ok
rt seg-left { 1, 2 };ok
mh type binding-update;ok
mh checksum != 9;ok
srh tag 5;ok
srh last-entry 1-3;ok
