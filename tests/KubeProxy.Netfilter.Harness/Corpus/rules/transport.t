:c;type filter hook input priority 0
*inet;t;c

tcp sequence 1000;ok
tcp sequence != 1000;ok
tcp sequence 1000-2000;ok
tcp sequence != 1000-2000;ok
tcp sequence < 2000;ok
tcp sequence >= 1000;ok
tcp sequence { 1000, 2000, 3000 };ok
tcp sequence != { 1000, 3000 };ok
tcp ackseq 5;ok
tcp ackseq != 5;ok
tcp ackseq 5-6;ok
tcp ackseq != 5-6;ok
tcp ackseq < 6;ok
tcp ackseq >= 5;ok
tcp ackseq { 5, 6, 7 };ok
tcp ackseq != { 5, 7 };ok
tcp window 512;ok
tcp window != 512;ok
tcp window 512-1024;ok
tcp window != 512-1024;ok
tcp window < 1024;ok
tcp window >= 512;ok
tcp window { 512, 1024, 2048 };ok
tcp window != { 512, 2048 };ok
tcp checksum 9;ok
tcp checksum != 9;ok
tcp checksum 9-19;ok
tcp checksum != 9-19;ok
tcp checksum < 19;ok
tcp checksum >= 9;ok
tcp checksum { 9, 19, 29 };ok
tcp checksum != { 9, 29 };ok
tcp urgptr 1;ok
tcp urgptr != 1;ok
tcp urgptr 1-2;ok
tcp urgptr != 1-2;ok
tcp urgptr < 2;ok
tcp urgptr >= 1;ok
tcp urgptr { 1, 2, 3 };ok
tcp urgptr != { 1, 3 };ok
tcp doff 5;ok
tcp doff != 5;ok
tcp doff 5-8;ok
tcp doff != 5-8;ok
tcp doff < 8;ok
tcp doff >= 5;ok
tcp doff { 5, 8, 10 };ok
tcp doff != { 5, 10 };ok
udp length 20;ok
udp length != 20;ok
udp length 20-40;ok
udp length != 20-40;ok
udp length < 40;ok
udp length >= 20;ok
udp length { 20, 40, 60 };ok
udp length != { 20, 60 };ok
udp checksum 11;ok
udp checksum != 11;ok
udp checksum 11-12;ok
udp checksum != 11-12;ok
udp checksum < 12;ok
udp checksum >= 11;ok
udp checksum { 11, 12, 13 };ok
udp checksum != { 11, 13 };ok
udplite csumcov 8;ok
udplite csumcov != 8;ok
udplite csumcov 8-16;ok
udplite csumcov != 8-16;ok
udplite csumcov < 16;ok
udplite csumcov >= 8;ok
udplite csumcov { 8, 16, 24 };ok
udplite csumcov != { 8, 24 };ok
sctp vtag 77;ok
sctp vtag != 77;ok
sctp vtag 77-88;ok
sctp vtag != 77-88;ok
sctp vtag < 88;ok
sctp vtag >= 77;ok
sctp vtag { 77, 88, 99 };ok
sctp vtag != { 77, 99 };ok
tcp flags syn;ok
tcp flags ! ack;ok
tcp flags & (syn | ack) == syn;ok
tcp flags & (fin | syn | rst) != rst;ok
tcp flags syn / syn,ack;ok
tcp flags { syn, ack };ok
tcp flags == fin;ok
tcp flags & fin == fin;ok
tcp flags fin,rst;ok
dccp type data;ok
dccp type { request, response };ok
dccp type != close;ok
