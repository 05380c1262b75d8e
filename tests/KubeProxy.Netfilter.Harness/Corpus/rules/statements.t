:c;type filter hook input priority 0
*inet;t;c

accept;ok
drop;ok
continue;ok
return;ok
counter;ok
counter packets 5 bytes 600 drop;ok
log;ok
log prefix "in: ";ok
log level debug;ok
log level err flags all;ok
log flags tcp sequence,options;ok
log flags ip options flags skuid;ok
log flags ether;ok
log group 3;ok
log group 3 snaplen 96 queue-threshold 4;ok
log prefix "x" group 1;ok
limit rate 5/second;ok
limit rate over 10/minute burst 20 packets;ok
limit rate 3/hour accept;ok
limit rate 1/day;ok
limit rate 2/week;ok
limit rate 10 kbytes/second;ok
limit rate over 1 mbytes/second burst 64 kbytes;ok
quota 10 mbytes;ok
quota over 1 kbytes drop;ok
quota 500 bytes;ok
reject;ok
reject with tcp reset;ok
reject with icmpx admin-prohibited;ok
reject with icmpx no-route;ok
reject with icmp host-unreachable;ok
reject with icmpv6 addr-unreachable;ok
ip daddr 192.0.2.1 reject;ok
meta l4proto tcp reject with tcp reset;ok
synproxy;ok
synproxy mss 1460 wscale 7;ok
synproxy mss 1200 timestamp sack-perm;ok
tcp dport 22 counter accept comment "ssh";ok
ct state new tcp dport 443 limit rate 20/second accept;ok
numgen random mod 3 0;ok
numgen inc mod 4 offset 10 11;ok
numgen inc mod 2 vmap { 0 : accept, 1 : drop };ok
jhash ip saddr mod 4 1;ok
jhash ip saddr . tcp dport mod 7 seed 0x5 offset 3 4;ok
meta mark set symhash mod 2 offset 100;ok
meta mark set numgen inc mod 3;ok
meta mark set jhash ip saddr mod 2;ok
meta mark set numgen random mod 2 map { 0 : 0x5, 1 : 0x6 };ok
fib daddr type local;ok
fib saddr . iif oif missing drop;ok
fib saddr oif lo;ok
fib daddr . mark type { unicast, multicast };ok
fib saddr . iif oifname eth0;ok
rt mtu 1400;ok
rt classid 3;ok
rt ipsec missing;ok
rt ip nexthop 192.0.2.1;ok
rt ip6 nexthop 2001:db8::1;ok
socket transparent 1;ok
socket mark 0x1;ok
socket wildcard 0;ok
osf name "Linux";ok
osf ttl skip version "Linux:3.0";ok
ipsec in reqid 5;ok
ipsec out spi 1000;ok
ipsec in ip saddr 192.0.2.1;ok
ipsec out spnum 1 ip6 daddr 2001:db8::1;ok
@nh,64,8 0x40;ok
@th,0,16 { 0x35, 0x7b };ok
@ll,0,48 0x1;ok
@ih,0,32 0x1020304;ok
@nh,0,8 & 0xf == 0x5;ok
