:c;type filter hook ingress device lo priority 0
*netdev;t;c

ip saddr 192.0.2.1 drop;ok
ip6 daddr 2001:db8::/32;ok
tcp dport 80;ok
udp dport { 53, 123 };ok
vlan id 4;ok
ether saddr 02:00:00:00:00:01;ok
ether type arp;ok
meta protocol ip counter;ok
fwd to lo;ok
dup to lo;ok
ip saddr 192.0.2.1 fwd ip to 192.0.2.2 device lo;ok
meta mark set 0x1;ok
meta length > 1000;ok
limit rate 10/second accept;ok
meta priority set 1:1;ok
ip dscp cs1;ok
icmp type echo-request drop;ok
icmpv6 type nd-redirect;ok
arp operation request;ok
reject with icmpx admin-prohibited;ok
numgen random mod 2 0 drop;ok
fwd to numgen inc mod 2 map { 0 : "lo", 1 : "lo" };ok
