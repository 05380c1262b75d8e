:c;type filter hook input priority 0
*bridge;t;c

ether saddr 02:00:00:00:00:01;ok
ether daddr != ff:ff:ff:ff:ff:ff;ok
ether type ip;ok
ether type { arp, ip6 };ok
ether saddr { 02:00:00:00:00:01, 02:00:00:00:00:02 };ok
vlan id 7;ok
vlan id { 1, 2, 3 };ok
vlan pcp 3;ok
vlan dei 1;ok
vlan id 5 vlan pcp 1-2;ok
vlan id 9 ip saddr 192.0.2.1;ok
ether type vlan vlan type ip counter;ok
ip saddr 192.0.2.1;ok
ip daddr 192.0.2.0/24 tcp dport 80;ok
ip6 saddr 2001:db8::1 udp dport 53;ok
meta ibrname "br0";ok
meta obrname != "br0";ok
meta protocol ip;ok
meta protocol arp drop;ok
arp operation request;ok
reject with icmpx no-route;ok
ip saddr 192.0.2.1 reject;ok
meta ibrpvid 5;ok
meta pkttype other drop;ok
tcp dport 22 accept;ok
ip protocol tcp tcp dport 22;ok
icmp type echo-request;ok
iifname eth0 counter;ok
ether saddr . ip saddr { 02:00:00:00:00:01 . 192.0.2.1 } accept;ok
