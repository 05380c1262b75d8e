:c;type filter hook input priority 0
*arp;t;c

arp htype 1;ok
arp htype != 1;ok
arp htype 1-6;ok
arp htype != 1-6;ok
arp htype < 6;ok
arp htype >= 1;ok
arp htype { 1, 6, 7 };ok
arp htype != { 1, 7 };ok
arp hlen 6;ok
arp hlen != 6;ok
arp hlen 6-7;ok
arp hlen != 6-7;ok
arp hlen < 7;ok
arp hlen >= 6;ok
arp hlen { 6, 7, 8 };ok
arp hlen != { 6, 8 };ok
arp ptype ip;ok
arp operation request;ok
arp operation { reply, nak };ok
arp saddr ip 192.0.2.1;ok
arp daddr ip != 192.0.2.0/24;ok
arp saddr ether 02:00:00:00:00:01;ok
arp daddr ether { 02:00:00:00:00:01, 02:00:00:00:00:02 };ok
arp plen 4;ok
meta iifname eth0;ok
limit rate 5/second;ok
arp operation reply arp saddr ip 192.0.2.1 counter drop;ok
