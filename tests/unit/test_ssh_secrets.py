"""Every form in which a platform writes a secret; SEED stands for it."""

from __future__ import annotations

import pytest

from netmon.probes.ssh.masking import MASK, clean
from netmon.probes.ssh.platforms import load_platforms
from tests.support.ssh_recordings import SEED

CISCO = """
aaa group server radius G\\n server-private 10.0.0.1 auth-port 1812 key 7 SEED
radius-server host 10.0.0.1 auth-port 1812 acct-port 1813 key SEED
radius-server key 7 SEED
tacacs server T\\n address ipv4 10.0.0.1\\n key 6 SEED
tacacs-server key 7 SEED
snmp-server community SEED view V RW 5
snmp-server community 7 SEED RO
snmp-server user u g v3 encrypted auth md5 SEED priv des SEED
snmp-server user u g remote 10.0.0.1 v3 auth sha SEED priv aes 256 SEED access 10
snmp-server host 10.0.0.1 traps version 2c SEED udp-port 162 bgp
snmp-server host 10.0.0.1 vrf MGMT informs version 2c SEED
snmp-server host 10.0.0.1 version 3 priv SEED
crypto isakmp key 6 SEED address 10.0.0.1 255.255.255.0
crypto isakmp key SEED hostname h
crypto isakmp client configuration group G\\n key SEED
crypto ikev2 keyring K\\n peer P\\n  pre-shared-key 6 SEED
crypto isakmp profile P\\n keyring K\\ncrypto keyring K\\n pre-shared-key address 10.0.0.1 key SEED
ip ftp password 7 SEED
ip http client password SEED
enable secret level 5 9 SEED
enable algorithm-type scrypt secret 9 SEED
username u privilege 15 algorithm-type sha256 secret SEED
dot1x credentials D\\n password 0 SEED
ip ospf authentication-key 7 SEED
area 1 virtual-link 10.0.0.1 message-digest-key 1 md5 7 SEED
area 1 virtual-link 10.0.0.1 authentication-key SEED
neighbor 10.0.0.1 password 7 SEED
isis password SEED level-2
domain-password SEED
ntp authentication-key 1 md5 SEED 7
ntp authentication-key 1 hmac-sha2-256 SEED
interface Tunnel0\\n ip nhrp authentication SEED
l2tp tunnel password 7 SEED
standby 1 authentication SEED
standby 1 authentication text SEED
glbp 1 authentication md5 key-string 7 SEED
glbp 1 authentication text SEED
vrrp 1 authentication text SEED
aaa server radius dynamic-author\\n client 10.0.0.1 server-key 7 SEED
authentication mode hmac-sha-256 7 SEED
mpls ldp neighbor 10.0.0.1 password 7 SEED
credentials username u password 7 SEED realm r
cts credentials id x password 7 SEED
dot11 ssid S\\n wpa-psk ascii 7 SEED
key chain K\\n key 1\\n  key-string 7 SEED
action 1 cli command "copy run ftp://u:SEED@10.0.0.1/x"
key config-key password-encrypt SEED
ip ddns update method D\\n HTTP\\n  add http://u:SEED@10.0.0.1/nic
"""
LINES = {
    "cisco_ios": CISCO,
    "cisco_xe": CISCO,
    "huawei_vrp": """
snmp-agent community read SEED
snmp-agent community write cipher %^%#SEED"x %^%# acl 2000
snmp-agent usm-user v3 u g authentication-mode md5 SEED privacy-mode des56 SEED
snmp-agent usm-user v3 u authentication-mode sha2-256 cipher SEED
snmp-agent target-host trap address udp-domain 10.0.0.1 params securityname SEED v2c
super password level 3 cipher SEED
set authentication password simple SEED
local-user u password irreversible-cipher $1a$SEED$ level 15
ppp pap local-user u password cipher SEED
ospf authentication-mode hmac-sha256 1 plain SEED
ospf authentication-mode simple plain SEED
isis authentication-mode md5 cipher SEED
area-authentication-mode simple plain SEED
authentication-mode md5 1 cipher SEED
rip authentication-mode md5 nonstandard SEED 1
rip authentication-mode md5 usual cipher SEED
vrrp vrid 1 authentication-mode md5 SEED
keychain K mode absolute\\n key-id 1\\n  key-string plain SEED
key-string cipher SEED
hwtacacs-server shared-key SEED
radius-server authorization 10.0.0.1 shared-key cipher SEED server-group R
psk pass-phrase SEED aes
sa string-key inbound esp simple SEED
sa authentication-hex inbound ah SEED
sa encryption-hex outbound esp cipher SEED
md5-password cipher 10.0.0.1 SEED
md5-password plain 10.0.0.1 SEED
peer 10.0.0.1 password simple SEED
tunnel password cipher SEED
ike peer P v1\\n pre-shared-key simple SEED
ntp-service authentication-keyid 1 authentication-mode hmac-sha256 SEED
ftp server u password cipher @%@%SEED@%@%
""",
    "hp_comware": """
snmp-agent community read SEED acl 2000
snmp-agent community write simple SEED
snmp-agent usm-user v3 u g simple authentication-mode md5 SEED privacy-mode des56 SEED
key authentication SEED
key accounting simple SEED
primary authentication 10.0.0.1 1812 key SEED
ospf authentication-mode simple plain SEED
ospf authentication-mode md5 1 SEED
ospf authentication-mode hmac-md5 1 plain SEED
rip authentication-mode md5 rfc2453 SEED
rip authentication-mode md5 rfc2082 plain SEED 1
isis authentication-mode md5 SEED
vrrp vrid 1 authentication-mode simple SEED
ntp-service authentication-keyid 1 authentication-mode md5 SEED
peer 10.0.0.1 password simple SEED
pre-shared-key simple SEED
pre-shared-key SEED
md5-authentication 10.0.0.1 cipher SEED
md5-authentication 10.0.0.1 plain SEED
sa string-key inbound esp simple SEED
sa hex-key authentication inbound ah SEED
preshared-key pass-phrase simple SEED
super password level 3 cipher SEED
set authentication password cipher SEED
ppp chap password simple SEED
ppp pap local-user u password cipher SEED
tunnel password simple SEED
""",
    "juniper_junos": """
set system root-authentication plain-text-password-value SEED
set system archival configuration archive-sites "ftp://u:SEED@10.0.0.1/x"
set system archival configuration archive-sites "ftp://u@10.0.0.1/x" password "$9$SEED"
set security authentication-key-chains key-chain k key 0 secret "$9$SEED"
set security macsec connectivity-association C pre-shared-key cak "$9$SEED"
set security macsec connectivity-association C pre-shared-key cak SEED
set security ipsec vpn V manual authentication key ascii-text SEED
set snmp v3 snmp-community i community-name SEED
set snmp v3 usm local-engine user u privacy-des privacy-password SEED
set snmp community "SEED \\" x" authorization read-write
set interfaces ge-0/0/0 unit 0 family inet address 10.0.0.1/24 vrrp-group 1 authentication-key SEED
set protocols isis interface ge-0/0/0.0 level 1 hello-authentication-key SEED
set protocols rip authentication-key SEED
set access radius-server 10.0.0.1 secret SEED
set access profile p radius-server 10.0.0.1 secret "$9$SEED"
set access profile p client c firewall-user password SEED
set access profile p client c chap-secret SEED
set system login user u authentication encrypted-password $6$SEED
set security ike policy P pre-shared-key ascii-text "$8$SEED"
set system master-password plain-text-password SEED
set wlan access-point a radio 1 virtual-access-point 0 security wpa-personal key SEED
set protocols bgp group g neighbor 10.0.0.1 authentication-key "$9$SEED"
set security certificates local c "-----BEGIN PRIVATE KEY-----\\nSEED\\n-----END PRIVATE KEY-----"
deactivate snmp community SEED
""",
    "mikrotik_routeros": """
add name=u password=\\\\\\n    SEED service=pppoe
add name=u password=\\\\\\n    "SEED x" service=pppoe
add name=u password=x\\\\\\n    SEED service=pppoe
add name=u password="x\\\\\\n    SEED"
add name=u password="a\\\\" SEED"
set [ find default=yes ] wpa-pre-shared-key=SEED wpa2-pre-shared-key=SEED
/caps-man security\\nadd name=s passphrase=SEED
/interface wifi security\\nadd name=s passphrase="SEED"
/ip ipsec peer\\nadd address=10.0.0.1/32 secret=SEED
/routing bgp connection\\nadd name=c .role=ebgp tcp-md5-key=SEED
/routing ospf interface-template\\nadd auth=md5 auth-id=1 auth-key=SEED
/routing rip interface\\nadd authentication-key=SEED
/interface macsec\\nadd cak=SEED ckn=x interface=ether1
/snmp\\nset enabled=yes trap-community=SEED
/snmp community\\nset [ find default=yes ] addresses=10.0.0.0/8 name=SEED
/snmp community\\nadd name="SEED x"\\nadd name=SEED
/tool e-mail\\nset address=10.0.0.1 password=SEED user=u
/tool fetch url="ftp://u:SEED@10.0.0.1/x"
/user-manager router\\nadd address=10.0.0.1 name=r shared-secret=SEED
/system script\\nadd name=s source="/tool fetch password=SEED user=u"
/interface wireguard peers\\nadd preshared-key="SEED=" public-key=x
/interface wireguard peers\\nadd private-key="SEED=" public-key=x
/ip hotspot user\\nadd name=u password=SEED
/interface lte apn\\nadd name=a password=SEED
""",
    "fortinet": """
set md5-key 1 "SEED"
set ppk-secret ENC SEED
set psksecret-remote ENC SEED
set group-authentication-secret ENC SEED
set authpasswd ENC SEED
set api-key ENC SEED
set secondary-secret ENC SEED
set auth-password-l1 ENC SEED
set login-passwd ENC SEED
set sae-password "SEED"
set authentication-key ENC SEED
set key ENC SEED
set passwd "SEED \\\\" x"
set private-key "-----BEGIN RSA PRIVATE KEY-----\\nSEED\\n-----END RSA PRIVATE KEY-----"
config system snmp community\\n edit 1\\n  config hosts\\n  end\\n   set name "SEED"\\n next\\nend
config global\\n config system snmp community\\n  edit 1\\n   set name SEED\\n  next\\n end
""",
    "frr": """
password 8 SEED
enable password 8 SEED
neighbor PG password SEED
ip ospf authentication-key SEED 10.0.0.1
area 1 virtual-link 10.0.0.1 authentication-key SEED
isis password md5 SEED
domain-password clear SEED
area-password md5 SEED authenticate snp validate
ip nhrp authentication SEED
ip rip authentication string SEED
key-string SEED
""",
    "linux": """
    wireless-key s:SEED
    wpa-passphrase SEED
 neighbor 10.0.0.1 password SEED
 ip ospf authentication-key SEED
 ip nhrp authentication SEED
PresharedKey = SEED
""",
}
EACH = [
    pytest.param(
        platform, line.replace("\\n", "\n").replace("\\\\", "\\"), id=f"{platform}: {line}"
    )
    for platform, lines in LINES.items()
    for line in lines.strip("\n").splitlines()
]


@pytest.mark.parametrize(("platform", "text"), EACH)
def test_no_form_of_a_secret_is_kept(platform: str, text: str) -> None:
    kept = clean(f"{text}\n", load_platforms()[platform].configuration)
    assert SEED not in kept
    assert kept.count(MASK) == text.count(SEED)


def test_what_is_no_secret_stays() -> None:
    for platform, text in (
        ("cisco_ios", "service password-encryption\nsnmp-server enable traps\nip ssh version 2\n"),
        ("cisco_ios", "aaa authentication login default group tacacs+ local\n"),
        ("huawei_vrp", "authentication-mode aaa\nsnmp-agent sys-info version v3\n"),
        ("hp_comware", "authentication-mode scheme\npassword-control length 12\n"),
        ("juniper_junos", "set system services ssh root-login deny\n"),
        ("mikrotik_routeros", "/ip address\nadd address=10.0.0.1/30 interface=ether1\n"),
        ("fortinet", "    set password-policy enable\n    set passwd-time 2020-01-01\n"),
        ("frr", "ip ospf authentication message-digest\n"),
    ):
        assert clean(text, load_platforms()[platform].configuration) == text
