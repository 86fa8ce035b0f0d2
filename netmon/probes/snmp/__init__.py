"""SNMP: any router, asked cheaply, understood rightly."""
