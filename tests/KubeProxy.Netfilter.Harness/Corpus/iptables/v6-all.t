# IPv6 alone.
:INPUT
-s 2001:db8::/32 -d fd00::1/128;=;OK
-s ::ffff:192.0.2.1/128;=;OK
! -d ::ffff:10.0.0.0/104;=;OK
-p ipv6-icmp -m icmp6 --icmpv6-type 128;=;OK
-p ipv6-icmp -m icmp6 ! --icmpv6-type 1/4;=;OK
-m iprange --src-range fd00::1-fd00::ff;=;OK
-m iprange ! --dst-range ::ffff:10.0.0.1-::ffff:10.0.0.2;=;OK
-m conntrack --ctorigsrc 2001:db8::/48 --ctrepldst fd00::5;=;OK
-m recent --set --name six --mask ffff:ffff:ffff:ffff:: --rsource;=;OK
-m hl --hl-eq 255;=;OK
-m hl --hl-lt 3;=;OK
-m frag --fragid 1:100 --fragfirst;=;OK
-m frag --fragmore;=;OK
-p ah -m ah --ahspi 1:10 ! --ahlen 20 --ahres;=;OK
-m rt --rt-type 0 ! --rt-segsleft 1:4 --rt-len 16;=;OK
-m mh;=;OK
-p mobility-header -m mh --mh-type 1:3;=;OK
-m hbh --hbh-len 8 --hbh-opts 5:2,194;=;OK
-m dst --dst-opts 4;=;OK
-m ipv6header --header hop-by-hop,ipv6-route --soft;=;OK
-m srh --srh-segs-left-gt 1 ! --srh-tag 7;=;OK
-m srh --srh-psid fd00::/64 --srh-lsid fd00::5/128;=;OK
-m policy --dir in --pol ipsec --strict --reqid 3 --spi 0x10;=;OK
-j REJECT --reject-with icmp6-adm-prohibited;=;OK
-j REJECT --reject-with icmp6-no-route;=;OK
-j REJECT --reject-with icmp6-policy-fail;=;OK
*mangle
:PREROUTING
-j HL --hl-set 64;=;OK
-j HL --hl-inc 2;=;OK
-j TEE --gateway fd00::99;=;OK
-p tcp -j TPROXY --on-port 15001 --on-ip ::1 --tproxy-mark 0x1/0xff;=;OK
-j DNPT --src-pfx 2001:db8:1::/48 --dst-pfx fd01:2:3::/48;=;OK
*nat
:PREROUTING
-p tcp -j DNAT --to-destination [fd00::1]:8080;=;OK
-p tcp -j DNAT --to-destination [fd00::1-fd00::9]:80-90;=;OK
-j DNAT --to-destination fd00::5;=;OK
-j NETMAP --to fd00:5::/32;=;OK
:POSTROUTING
-j SNAT --to-source 2001:db8::1;=;OK
-p udp -j SNAT --to-source [2001:db8::1-2001:db8::4]:1024-2048 --random;=;OK
