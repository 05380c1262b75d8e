# IPv4 alone.
:INPUT
-s 192.0.2.0/24 -d 198.51.100.7/32;=;OK
! -s 10.0.0.0/8 ! -i eth0;=;OK
-i veth+ -p icmp;=;OK
-p igmp;=;OK
-p gre;=;OK
-p ospf;=;OK
-p 253;=;OK
! -p udp;=;OK
-p icmp -m icmp --icmp-type 8;=;OK
-p icmp -m icmp --icmp-type 3/4;=;OK
-p icmp -m icmp ! --icmp-type 0;=;OK
-p icmp -m icmp --icmp-type any;=;OK
-m iprange --src-range 10.0.0.5-10.0.0.50;=;OK
-m iprange ! --src-range 10.1.1.1-10.1.1.2 ! --dst-range 10.2.0.0-10.2.255.255;=;OK
-m conntrack --ctorigsrc 10.0.0.0/8 ! --ctorigdst 192.0.2.1;=;OK
-m conntrack --ctreplsrc 203.0.113.0/24 --ctrepldst 203.0.113.9;=;OK
-m recent --set --name ssh --mask 255.255.255.255 --rsource;=;OK
-m recent --update --seconds 60 --hitcount 4 --name ssh --mask 255.255.255.255 --rsource;=;OK
-m recent ! --rcheck --seconds 10 --reap --rttl --name other --mask 255.255.0.0 --rdest;=;OK
-m recent --remove --name ssh --mask 255.255.255.255 --rsource;=;OK
-m ttl --ttl-eq 64;=;OK
-m ttl ! --ttl-eq 1;=;OK
-m ttl --ttl-lt 5;=;OK
-m ttl --ttl-gt 200;=;OK
-p ah -m ah --ahspi 1:10;=;OK
-p ah -m ah ! --ahspi 5;=;OK
-m realm --realm 0x5/0xff;=;OK
-m policy --dir in --pol none;=;OK
-m policy --dir in --pol ipsec --strict --reqid 7 --proto esp --mode tunnel --tunnel-dst 192.0.2.0/24 --tunnel-src 198.51.100.1;=;OK
-j REJECT --reject-with icmp-host-unreachable;=;OK
-j REJECT --reject-with icmp-net-prohibited;=;OK
-j REJECT --reject-with icmp-admin-prohibited;=;OK
-j REJECT --reject-with icmp-proto-unreachable;=;OK
*mangle
:PREROUTING
-j TTL --ttl-set 64;=;OK
-j TTL --ttl-dec 1;=;OK
-p tcp -j ECN --ecn-tcp-remove;=;OK
-j TEE --gateway 192.0.2.200;=;OK
-p tcp -j TPROXY --on-port 15001 --on-ip 127.0.0.1 --tproxy-mark 0x1/0x1;=;OK
-p udp -j TPROXY --on-port 53 --on-ip 0.0.0.0 --tproxy-mark 0x0/0x0;=;OK
*nat
:PREROUTING
-p tcp -j DNAT --to-destination 10.0.0.1:8080;=;OK
-j DNAT --to-destination 10.0.0.1;=;OK
-j DNAT --to-destination 10.0.0.1-10.0.0.9;=;OK
-p tcp -j DNAT --to-destination 10.0.0.1-10.0.0.9:80-90 --random;=;OK
-p tcp -m tcp --dport 5000:5010 -j DNAT --to-destination 10.0.0.1:6000-6010/5000;=;OK
-j NETMAP --to 10.5.0.0/16;=;OK
:POSTROUTING
-j SNAT --to-source 192.0.2.1;=;OK
-p tcp -j SNAT --to-source 192.0.2.1-192.0.2.4:1024-2048 --random-fully;=;OK
-j SNAT --to-source 192.0.2.1-192.0.2.4 --persistent;=;OK
