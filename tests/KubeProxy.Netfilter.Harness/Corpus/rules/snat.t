:c;type nat hook postrouting priority 100
*ip;t;c

snat to 192.0.2.1;ok
snat to 192.0.2.1-192.0.2.9;ok
tcp dport 80 snat to 192.0.2.1:1024-65535;ok
snat to 192.0.2.0/28 persistent;ok
snat to ip saddr map { 10.0.0.1 : 192.0.2.1 };ok
masquerade;ok
masquerade random;ok
masquerade fully-random;ok
masquerade persistent;ok
tcp dport 80 masquerade to :2000;ok
udp dport 53 masquerade to :2000-3000 random;ok
oifname eth0 ip saddr 10.0.0.0/8 masquerade random,persistent;ok
meta mark & 0x4000 == 0x4000 masquerade;ok
