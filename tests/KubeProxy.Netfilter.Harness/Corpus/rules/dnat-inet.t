:c;type nat hook prerouting priority 0
*inet;t;c

dnat ip to 10.0.0.1;ok
tcp dport 80 dnat ip to 10.0.0.1:8080;ok
tcp dport 80 dnat ip6 to [2001:db8::1]:8080;ok
dnat ip6 to 2001:db8::1;ok
meta l4proto tcp dnat to :81;ok
dnat ip to ip daddr map { 192.0.2.1 : 10.0.0.1 };ok
redirect;ok
udp dport 53 redirect to :5353;ok
