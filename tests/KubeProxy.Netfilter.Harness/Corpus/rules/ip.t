:c;type filter hook input priority 0
*ip;t;c
*inet;t;c

ip ttl 1;ok
ip ttl != 1;ok
ip ttl 1-64;ok
ip ttl != 1-64;ok
ip ttl < 64;ok
ip ttl >= 1;ok
ip ttl { 1, 64, 128 };ok
ip ttl != { 1, 128 };ok
ip length 100;ok
ip length != 100;ok
ip length 100-200;ok
ip length != 100-200;ok
ip length < 200;ok
ip length >= 100;ok
ip length { 100, 200, 300 };ok
ip length != { 100, 300 };ok
ip id 1;ok
ip id != 1;ok
ip id 1-2;ok
ip id != 1-2;ok
ip id < 2;ok
ip id >= 1;ok
ip id { 1, 2, 3 };ok
ip id != { 1, 3 };ok
ip frag-off 8;ok
ip frag-off != 8;ok
ip frag-off 8-16;ok
ip frag-off != 8-16;ok
ip frag-off < 16;ok
ip frag-off >= 8;ok
ip frag-off { 8, 16, 24 };ok
ip frag-off != { 8, 24 };ok
ip checksum 4;ok
ip checksum != 4;ok
ip checksum 4-5;ok
ip checksum != 4-5;ok
ip checksum < 5;ok
ip checksum >= 4;ok
ip checksum { 4, 5, 6 };ok
ip checksum != { 4, 6 };ok
ip version 4;ok
ip hdrlength 5;ok
ip dscp cs1;ok
ip dscp != af21;ok
ip dscp { ef, af11 } accept;ok
ip dscp vmap { cs0 : continue, cs7 : drop };ok
ip ecn ce;ok
ip ecn != not-ect;ok
ip protocol tcp;ok
ip protocol != udp;ok
ip protocol { icmp, esp, gre } accept;ok
ip saddr 192.0.2.1;ok
ip daddr != 198.51.100.0/24;ok
ip saddr 10.0.0.0/9;ok
ip saddr 192.0.2.5-192.0.2.9;ok
ip daddr { 203.0.113.0/24, 192.0.2.77 };ok
ip saddr != { 10.0.0.1, 10.0.0.2 };ok
ip saddr . ip daddr { 10.0.0.1 . 10.0.0.2 } drop;ok
ip saddr . tcp dport { 10.0.0.0/8 . 80-90, 192.0.2.1 . 443 };ok
ip daddr vmap { 192.0.2.1 : accept, 192.0.2.2 : drop };ok
ip saddr & 255.255.0.255 == 10.0.0.1;ok
ip option rr exists;ok
ip option lsrr missing;ok
ip option ra value 0;ok
ip option ssrr ptr 4;ok
ip ttl set 64;ok
ip dscp set cs3;ok
ip daddr set 192.0.2.9;ok
ip saddr set ip daddr map { 192.0.2.1 : 192.0.2.2 };ok
ip ecn set ce;ok
ip id set 0;ok
