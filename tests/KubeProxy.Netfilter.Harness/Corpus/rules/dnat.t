:c;type nat hook prerouting priority 0
*ip;t;c

dnat to 10.0.0.1;ok
tcp dport 80 dnat to 10.0.0.1:8080;ok
tcp dport 80 dnat to 10.0.0.1-10.0.0.5;ok
tcp dport 80 dnat to 10.0.0.1-10.0.0.5:80-90;ok
dnat to ip daddr map { 192.0.2.1 : 10.0.0.1, 192.0.2.2 : 10.0.0.2 };ok
dnat ip to ip daddr . tcp dport map { 192.0.2.1 . 80 : 10.0.0.1 . 8080 };ok
dnat to numgen random mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 };ok
dnat to jhash ip saddr mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 };ok
dnat to 10.0.0.0/24;ok
dnat to 10.0.0.1 random;ok
dnat to 10.0.0.1-10.0.0.9 persistent;ok
redirect;ok
tcp dport 80 redirect to :8080;ok
tcp dport 80 redirect to :8080-8090 random;ok
tcp dport 22 redirect to :2222 fully-random,persistent;ok
redirect to :tcp dport map { 80 : 8080 };ok
dnat ip prefix to ip daddr map { 192.0.2.0/24 : 10.0.0.0/24 };ok
dnat ip to ip daddr map { 192.0.2.1 : 10.0.0.1-10.0.0.9 };ok
