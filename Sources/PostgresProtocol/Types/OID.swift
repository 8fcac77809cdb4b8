/// A PostgreSQL object identifier; here nearly always that of a type. Built-in numbers never change (`pg_type.dat`).
package struct OID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: UInt32

    @inlinable package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    @inlinable package init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package var description: String { String(rawValue) }

    @inlinable package static func < (left: OID, right: OID) -> Bool {
        left.rawValue < right.rawValue
    }

    /// Numbers from here on are given out by a cluster, so they mean something in that cluster only.
    package static let firstUserDefined = OID(16384)
    package static let invalid = OID(0)
}

extension OID {
    package static let bool = OID(16)
    package static let bytea = OID(17)
    /// The internal one-byte type `"char"`.
    package static let char = OID(18)
    package static let name = OID(19)
    package static let int8 = OID(20)
    package static let int2 = OID(21)
    package static let int2vector = OID(22)
    package static let int4 = OID(23)
    package static let regproc = OID(24)
    package static let text = OID(25)
    package static let oid = OID(26)
    package static let tid = OID(27)
    package static let xid = OID(28)
    package static let cid = OID(29)
    package static let oidvector = OID(30)
    package static let json = OID(114)
    package static let xml = OID(142)
    package static let point = OID(600)
    package static let lseg = OID(601)
    package static let path = OID(602)
    package static let box = OID(603)
    package static let polygon = OID(604)
    package static let line = OID(628)
    package static let cidr = OID(650)
    package static let float4 = OID(700)
    package static let float8 = OID(701)
    package static let unknown = OID(705)
    package static let circle = OID(718)
    package static let macaddr8 = OID(774)
    package static let money = OID(790)
    package static let macaddr = OID(829)
    package static let inet = OID(869)
    package static let aclitem = OID(1033)
    package static let bpchar = OID(1042)
    package static let varchar = OID(1043)
    package static let date = OID(1082)
    package static let time = OID(1083)
    package static let timestamp = OID(1114)
    package static let timestamptz = OID(1184)
    package static let interval = OID(1186)
    package static let timetz = OID(1266)
    package static let bit = OID(1560)
    package static let varbit = OID(1562)
    package static let numeric = OID(1700)
    package static let refcursor = OID(1790)
    package static let regprocedure = OID(2202)
    package static let regoper = OID(2203)
    package static let regoperator = OID(2204)
    package static let regclass = OID(2205)
    package static let regtype = OID(2206)
    package static let record = OID(2249)
    package static let cstring = OID(2275)
    package static let void = OID(2278)
    package static let uuid = OID(2950)
    package static let txidSnapshot = OID(2970)
    package static let pgLSN = OID(3220)
    package static let tsvector = OID(3614)
    package static let tsquery = OID(3615)
    package static let regconfig = OID(3734)
    package static let regdictionary = OID(3769)
    package static let jsonb = OID(3802)
    package static let int4range = OID(3904)
    package static let numrange = OID(3906)
    package static let tsrange = OID(3908)
    package static let tstzrange = OID(3910)
    package static let daterange = OID(3912)
    package static let int8range = OID(3926)
    package static let jsonpath = OID(4072)
    package static let regnamespace = OID(4089)
    package static let regrole = OID(4096)
    package static let regcollation = OID(4191)
    package static let int4multirange = OID(4451)
    package static let nummultirange = OID(4532)
    package static let tsmultirange = OID(4533)
    package static let tstzmultirange = OID(4534)
    package static let datemultirange = OID(4535)
    package static let int8multirange = OID(4536)
    package static let pgSnapshot = OID(5038)
    package static let xid8 = OID(5069)
}
