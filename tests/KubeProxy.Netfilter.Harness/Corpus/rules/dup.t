:c;type filter hook prerouting priority 0
*ip;t;c

dup to 192.0.2.1;ok
dup to 192.0.2.1 device "lo";ok
dup to ip saddr map { 10.0.0.1 : 192.0.2.1 };ok
