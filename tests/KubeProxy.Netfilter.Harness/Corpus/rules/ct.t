:c;type filter hook input priority 0
*inet;t;c

ct state new;ok
ct state established,related accept;ok
ct state != invalid;ok
ct state { new, untracked };ok
ct state vmap { established : accept, invalid : drop };ok
ct status dnat;ok
ct status ! assured;ok
ct direction reply;ok
ct mark 0x5;ok
ct mark & 0xff00 == 0x1200;ok
ct mark set 0x1;ok
ct mark set meta mark;ok
ct mark 0x1-0x9;ok
ct mark { 0x1, 0x2 };ok
ct expiration 30s;ok
ct expiration > 1h;ok
ct expiration 10-20;ok
ct helper "tftp";ok
ct l3proto ipv6;ok
ct protocol udp;ok
ct original protocol tcp;ok
ct original ip saddr 192.0.2.1;ok
ct reply ip daddr 198.51.100.0/24;ok
ct original ip6 saddr 2001:db8::1;ok
ct original proto-src 80;ok
ct reply proto-dst 1024-2048;ok
ct bytes > 1000;ok
ct original packets 5;ok
ct reply avgpkt < 200;ok
ct zone 3;ok
ct zone set 9;ok
ct original zone set 4;ok
ct label 5;ok
ct label set 6;ok
ct event set new,destroy;ok
ct id 42;ok
ct count 10;ok
ct count over 20 drop;ok
notrack;ok
ct direction . ct mark { original . 0x1 };ok
ct state . ct mark vmap { new . 0x2 : drop };ok
