//! The names that columns have, field by field. Lower case, without accents.

/// Words that mean that a price is not the listing's price.
const NOT_THE_PRICE: &str = "per sqft m2 sqm change changed reduction reduced cut drop tax hoa fee min max estimate zestimate history sold \
     last date time currency unit range type label level psf parking deposit assessed insurance agent agency percent \
     pct rate count negyzetmeter cicilan angsuran 보증금 garantie";

/// Words for data of people and firms, not of the home.
const PEOPLE: &str = "agent agents agency office broker brokers seller contact advertiser advertisers owner builder school schools \
     branding company user member mls buyer organization";

/// Words in the name of a price or an area that do not change what it is.
pub(super) const NEUTRAL: &str = "the of in for a an to is and on net gross total tot full text txt display displayed shown formatted raw unformatted \
     number numeric num int float value values amount amounts val item listing listings property home house unit apartment \
     flat sale sales selling sell buy purchase rent rental lease letting current asking ask list listed advertised public \
     guide main base final new latest actual cash cold warm kalt kauf miet preis price prices web site api result data \
     info details attributes living built up builtup build usable covered construction constructed floor size area \
     expected surface space habitable interior internal inside building livable heated finished approx about ca circa plot land \
     lot sup terrain total carpet useful util utiles construidos privada privativa vivienda bien inmueble offer";

/// Words in the name of any column that do not change what it is.
pub(super) const ANYWHERE: &str = "prop posting realty object objekt immobilie ad advert quantity qty phy situs market localized suffix type \
     href name expose detail details seo canonical friendly beautiful description desc address map gps de la le des du d der die das do da y e";

/// All fields in the order of maps: names with their confidence, and the words that exclude a column. Lower case,
/// without accents.
pub(super) const TABLE: &[(&str, &str, &str)] = &[
    (
        "native_id",
        "93: sifra, sifra oglasa, id oglasa, 매물번호, 매물id, ma tin, ma tin dang, hirdeteskod, hirdetes kod, hirdetes azonosito, id iklan, kode iklan, kode properti, id anunt, cod anunt; 80: parcel id, parcel number, parcel no, apn, folio; 90: ilan no, 物件番号, 物件id; 82: sku, clave; 100: listing key, zpid; 98: property id; 97: listing id, ad id, unique id, unique identifier; 96: id, annonce id, anzeigen id, \
         scout id, advert id; 94: object id, objekt id, list id, home id, property code; 94: objektnr extern; 90: objektnr intern; 93: objekt nr, objektnr, objekt nummer; 92: \
         listing number, listing no, list number, listnumber, list no, offer id, objektnummer, anzeigennummer, anzeigen nr, agent ref, \
         property ref, property reference, referencenumber; 90: uuid; 88: mls id, uid, guid, ml number, ml no; 96: guid; 86: mls number, mls no, mls \
         num, reference, referenz, referencia, riferimento, referenznummer, ref no, ref nr; 84: external id, identifier, mls; 80: \
         ref; 76: codigo, codice; 70: nr, code; 60: slug, numero, nummer; 55: key",
        "agent agents agency office broker user seller city category community photo media type region location area \
         county parcel plan spec source owner school lot image currency tax building lead record fips unit country \
         neighborhood advertisers run post postal zip state province street house",
    ),
    (
        "observed_at",
        "95: modification date; 90: azurirano; 88: data actualizarii, ultima actualizare, 수정일, 확인일자; 92: last refreshed at; 90: ultima modifica, data modifica, gewijzigd op, senast andrad, data aggiornamento, ultima actualizacion; 100: modification timestamp, scrape timestamp, observed at; 98: scraping time; 96: scraped at, scrape date; \
         95: modified at, last modified, crawled at, fetched at, snapshot date; 92: updated at, last updated, last \
         update date, retrieved at, extraction date, last seen date, seen at; 94: mod time, modtime, date modified, modified date, last modified date, last changed, changed at, letzte anderung; 90: modified, scraped, last seen; 88: \
         geandert am; 86: update date, updated, timestamp, mise a jour; 84: date maj, event date, actualizado; 82: \
         time ms; 80: ingest ts; 52: date",
        "photos photo media human list listed price sold built created added regist posted publi open available removed string major \
         closed local",
    ),
    (
        "purpose",
        "92: vrsta ponude, vrsta oglasa, tip tranzactie, tip oferta, 거래유형, 거래구분, 거래종류, tranzakcio, jenis iklan, jenis transaksi, tranzactie; 88: contratto, negocio, finalidade, tipo de negocio, tipo operazione, soort aanbod, upplatelse, offer, marketing type, department, deal; 100: rent or sale, sale or rent, sale or lease, lease or sale, for sale or lease, for sale or rent, sale lease; 96: vermarktungsart; 95: purpose, transaction type, offer type; 94: is rental, miete pacht; 92: deal \
         type, operation, operacion, marketing type, is rent, posting is rental; 88: offre, for rent; 86: preference; 86: type \
         annonce; 84: transaction, sale type; 82: listing type; 80: listing status, business type; 78: home status; \
         76: rental; 74: channel; 70: status; 60: property type, category label; 58: category; 50: type; 40: event",
        "off sub",
    ),
    (
        "currency",
        "100: currency, currency code, price currency, list price currency; 97: devise, wahrung, moneda; 95: divisa",
        "rate deposit fee fees tax estimate valuation down",
    ),
    (
        "status",
        "90: stato, stato annuncio, situacao, beschikbaarheid, verkoopstatus, sale status; 100: standard status; 96: status, listing status; 94: home status, statut, objektstatus; 92: mls status, \
         offer status, property status; 82: availability; 78: disponibilite, disponibilidad; 76: event; 68: estado; \
         66: state; 62: etat; 40: zustand",
        "code http contingent parking construction agent completion furnishing furnished furniture occupancy payment verification user \
         approval account marital energy ownership possession tenure",
    ),
    (
        "list_price",
        "92: market rent, lease amount, lease price; 90: cijena, pret, pret vanzare, chirie, 가격, 매매가, 매매가격, 호가, gia, gia ban, muc gia, gia thue, harga, harga jual, harga sewa; 84: ar; 97: price now, now price, expected price, asking rent; 90: prezzo vendita, prezzo di vendita, preco venda, preco de venda, valor aluguel, valor locacao, canone mensile, canone di locazione, cena najmu, kira, hinta, vuokra, begart pris, utgangspris, kontantpris, rent per month, guide price; 100: list price, asking price; 99: price amount, price value, listing price, kaufpreis; 98: unformatted \
         price, prices, rental price, rental prices, sale prices; 97: price, current price, monthly rent, prix, preis, precio; 96: price raw, mietpreis, precio venta, \
         price unformatted; 95: rent price, prix affiche; 94: loyer, kaltmiete; 92: price text, sale price, rent, \
         miete; 90: nettokaltmiete; 88: alquiler; 86: gesamtmiete; 84: warmmiete; 90: rental, rents, renta, ar forint, iranyar, vetelar, berleti dij, 価格, 販売価格, 賃料, 家賃; 89: cena, prezzo, preco, pris, prijs, vraagprijs, huurprijs, koopprijs, fiyat, canone, affitto, hyra, leie, husleje, arrendamento, renda, valor venda, prezzo richiesto, prisantydning, totalpris; 62: montant, importe; 60: amount; \
         58: valor; 55: cost",
        NOT_THE_PRICE,
    ),
    (
        "original_list_price",
        "100: original list price; 98: original price, orig price, initial price, prix initial, ursprunglicher preis, precio \
         inicial, precio original; 92: first price; 88: starting price",
        "date currency text",
    ),
    (
        "previous_list_price",
        "97: price was, was price; 100: previous list price; 98: previous price, old price, ancien prix, vorheriger preis, precio anterior; 96: \
         alter preis, stara cijena; 94: prior price; 90: price before",
        "date currency sale sold",
    ),
    (
        "close_price",
        "92: 거래금액, sale prc, last sale prc, sale prc1, last sale amount, sale amount; 97: slutpris, salgspris, prix de vente final, verkaufspreis, verkoopprijs, precio final; 100: close price; 98: sold price, closing price; 97: sale price paid; 94: last sold price, sold for, last sale price; 92: prix \
         vendu, precio de cierre",
        "date currency text",
    ),
    (
        "close_date",
        "90: 계약일, 거래일; 92: sald, sald datum, sold, date of sale, verkauft, solgt dato, verkocht op; 100: close date; 98: sold date, date sold, closing date, sold on; 96: last sold date, sold at, sale date; 94: last \
         sale date; 92: date de vente, verkauft am, fecha de cierre, fecha venta",
        "string",
    ),
    (
        "price_changed_at",
        "100: price change timestamp; 98: price changed at, date price changed, price change date; 96: price updated \
         at; 94: price drop date, price reduced date; 88: price changed",
        "",
    ),
    (
        "listed_at",
        "92: publishing date; 92: objavljeno, datum objave, data publicarii, data adaugarii, 등록일, 등록일자, 게시일, ngay dang, tanggal tayang, tanggal posting; 96: pub date; 88: time activated, activated at, date activated; 58: start date; 98: date created first, created at first, first published at, first published, first listed at, date first listed; 96: posted on, published on, listed on; 92: data pubblicazione, data inserimento, data de publicacao, aangeboden sinds, publicerad, publiceringsdatum, publisert, oprettet, data dodania, ilan tarihi; 100: listed at, list date, listed date, on market date, on market timestamp; 98: date listed, listing date; \
         97: listing contract date, published at, date posted, date publication, fecha publicacion; 96: added timestamp, added at, date added, added date, added on, created timestamp, creation timestamp, published \
         timestamp, publish timestamp, register date, registered date, registration date, posting date, published \
         date, publish date, publication date, posted at, veroffentlicht am; 94: publie le, veroffentlicht, online \
         seit, list time; 92: published, publie; 92: advertised on, publicacion, create time, dates creation; 96: first listed, first visible date, fecha de alta; 90: fecha alta, original entry timestamp; 86: posted, created at, \
         creation date, erstellt am, activation date; 84: date creation, erstelldatum, first seen; 82: created date; \
         80: created; 74: added; 62: fecha; 58: date; 52: time",
        "photo photos sold price change update updated modified scraping built string zone removed media open ms \
         zillow",
    ),
    (
        "property_type",
        "84: category alias, cat name, use description, use desc, land use; 94: realty type, realty type name; 82: property; 96: vrsta nekretnine, tip nekretnine, tip proprietate, tip imobil, 매물종류, 매물유형, 물건종류, 주택유형, ingatlan tipus, ingatlantipus, loai nha dat, loai bds, loai hinh, loai bat dong san, tipe properti, jenis properti; 84: unit types, unit type, property types; 90: estate, housing form, upplatelseform; 96: 物件種別, 物件種目, emlak tipi, konut tipi; 92: tipo immobile, tipologia, soort, bostadstyp, boligtype, ejendomstype, rodzaj, tipo de imovel, tipo imovel, typ nemovitosti, asset type, property class; 100: property sub type; 99: type de bien; 98: tipo inmueble, tipo de propiedad, type bien, tipologia immobile, tipo de imovel; 97: property \
         type, home type, immobilientyp, objekttyp, objektart, immobilienart, real estate type; 96: prop type, estate \
         type, property kind; 94: housing type, dwelling type; 90: wohnungstyp, tipologia, bostadstyp, boligtype, woningtype, soort woning, tipo; 82: style; 80: type, structure type, category label; 78: categorie, kategorie, building type; 76: sub type, category name; 74: category; 72: kind",
        "listing agent dimension price lead media",
    ),
    (
        "bedrooms",
        "96: broj spavacih soba, spavace sobe, dormitoare, nr dormitoare, 방수, 방개수, 침실수, haloszobak, haloszoba, so phong ngu, phong ngu, kamar tidur, jumlah kamar tidur; 84: br, brs; 96: liczba sypialni, ilosc sypialni; 94: 間取り, 間取; 84: oda sayisi; 97: camere da letto, camere letto, quartos, slaapkamers, aantal slaapkamers, sovrum, soverom, antall soverom, sovevaerelser, makuuhuoneet, sypialnie, yatak odasi, bedroom, bed count; 100: bedrooms, bedrooms total; 98: beds, n bedrooms, number of bedrooms, nb chambres, nb de chambres, nombre \
         de chambres, schlafzimmer, anzahl schlafzimmer, dormitorios; 97: bedroom count, num bedrooms, chambres; 96: \
         recamaras; 94: habitaciones; 90: bed; 84: chambre",
        "max min main level bath units",
    ),
    (
        "bathrooms",
        "96: broj kupaonica, kupaonice, broj kupatila, bai, nr bai, numar bai, numar de bai, 욕실수, 욕실개수, 화장실수, furdoszobak, furdoszoba, so phong tam, phong tam, so toilet, kamar mandi, jumlah kamar mandi; 96: liczba lazienek, ilosc lazienek, bagni, bagno, banheiros, casas de banho, casa de banho, badkamers, aantal badkamers, badrum, antall bad, badevaerelser, lazienki, total baths, total bathrooms, baths total, bathrooms full and half; 100: bathrooms, bathrooms total decimal; 99: baths consolidated, bathrooms decimal; 98: bathrooms total, n \
         bathrooms, number of bathrooms, salles de bain, salles de bains, nb de salles de bains, badezimmer, anzahl \
         badezimmer, banos; 97: bathroom, baths, bathrooms total integer, bathroom count, num bathrooms, salle de bain; 94: \
         bader; 92: sdb; 88: bath",
        "full half max min 3qtr 1qtr partial calc",
    ),
    (
        "living_area",
        "96: square meter, stambena povrsina; 88: povrsina, kvadratura; 97: superficie cubierta, sup cubierta, suprafata utila, 전용면적, luas bangunan; 92: suprafata construita, suprafata, 연면적, dien tich su dung, dien tich; 96: usable areas; 84: 공급면적, 면적; 99: total living area, totflarea, tot fl area, house size; 93: habitable; 99: tot lvg area, lvg area, living sqft, heated area; 95: sq ft, alapterulet; 99: net m2, 専有面積; 94: brut m2, 建物面積, 延床面積; 93: construccion m2, construccion; 94: built up, built up area; 99: carpet area; 96: woonoppervlakte, boarea, boareal, boligareal, bruksareal, primaerrom, superficie commerciale, superficie interna, area util, area bruta, area privativa, metratura, pinta ala, asuinpinta ala, powierzchnia, uzitna plocha, usable floor area, square footage, living size, interior area, internal area, gross internal area, net area; 100: living area, livingarea, wohnflaeche, surface habitable, wohnflache; 99: sqft living, superficie habitable; 98: \
         square footage, living space; 97: square feet, floor area; 96: square meters; 95: sqft, floor size; 94: \
         superficie construida, area m2, size sqft, area sqft, estate size; 92: sqm; 90: surface, m2; 88: superficie, \
         usable area, building size; 86: surface totale, total area; 84: flache, building area total; 82: area; 72: \
         size, nutzflache; 70: metros",
        "lot land plot terrain parcel parcelle unit units code price per max min source name major above basement \
         garden terrace school parking rate price cost rent super possession veranda verandas balcony balconies balkon loggia garage \
         cellar keller kitchen storage attic pool",
    ),
    (
        "lot_area",
        "90: acres, land surface area, land surface; 88: plot; 97: erf size, stand size; 92: lot sz, yard area; 97: povrsina okucnice, okucnica, povrsina zemljista, povrsina parcele, suprafata teren, suprafata terenului, 대지면적, 토지면적, telekterulet, telek terulet, dien tich dat, luas tanah; 88: land sqfoot, lnd sqfoot, land sqft; 96: acreage; 98: terrain area, surface land, 土地面積, 敷地面積; 96: arsa alani, perceeloppervlakte, tomtarea, tomteareal, grundareal, terreno, lote, area terreno, powierzchnia dzialki, pozemek, superficie lotto, land size, site area; 100: grundstuecksflaeche, lot area value, lot size square feet, lot size area, grundstucksflache; 99: lot area, lot sqft, sqft \
         lot; 98: lot size, surface terrain, surface du terrain, surface de la parcelle, superficie parcela, \
         superficie terreno; 97: land area, plot area, plot size; 96: lot size acres, land size; 90: grundflache; 84: \
         parcela; 70: terrain",
        "unit units source features id type per rate price cost",
    ),
    (
        "year_built",
        "96: completion year, godina izgradnje, year completed; 96: build year; 96: an constructie, anul constructiei, 준공년도, 준공연도, 건축년도, 건축연도, 사용승인일, epites eve, epitesi ev, tahun dibangun, act yr blt; 96: yr blt, year blt; 98: 築年月, 建築年月, 完成年月; 96: 築年, 建築年, yapim yili, insaat yili; 92: constructed date, year constructed, construction date; 96: bouwjaar, byggar, byggear, byggeaar, anno di costruzione, anno costruzione, ano de construcao, rok budowy, rakennusvuosi, construction date year, built; 100: year built, yr built; 98: construction year, built year, baujahr, annee de construction, annee construction, \
         ano construccion, ano de construccion; 92: year of construction; 84: built in",
        "renovated effective source",
    ),
    (
        "association_fee",
        "92: czynsz administracyjny, gastos comunes, association dues, maintenance fee, condominium fee, condominio, monthly dues; 100: association fee; 98: hoa fee, monthly hoa fee, hoa fees, hoa dues, frais de syndic, hausgeld, gastos de comunidad, \
         charges de copropriete; 84: hoa, condo fee",
        "frequency name phone includes yn",
    ),
    ("display", "100: internet entire listing display yn; 98: display listing on internet", ""),
    ("display_address", "100: internet address display yn; 98: display address on internet", ""),
    ("display_estimate", "100: internet automated valuation display yn", ""),
    ("display_history", "100: price history display yn", ""),
    ("display_expired", "100: off market listing display yn", ""),
    (
        "line",
        "88: 도로명; 92: ulica i kucni broj; 95: street 1, street1, address title; 95: phy addr, phy addr1, physical address, prop addr, loc addr, location address; 90: strada, adresa, 주소, 도로명주소, 소재지, utca, dia chi, duong, ten duong, alamat; 96: situs addr, situs address, site address; 90: road name, street name, 所在地, 住所, adres; 93: indirizzo, morada, endereco, logradouro, adres, straat, gatuadress, gateadresse, gate, vej, vejnavn, ulica, osoite, katuosoite, via, address 1, property address; 100: street address, short address, full street line, street line; 99: address line, address line1, address line 1, address street, unparsed address; 94: \
         strasse; 92: street, address, adresse, direccion, calle; 90: line, anschrift; 88: full address, formatted \
         address, rue; 86: domicilio",
        "email mail ip web line2 office agent agents broker yn number advertisers",
    ),
    (
        "neighbourhood",
        "90: naselje, kvart; 90: regionaler zusatz; 95: sub locality name, sub locality, sublocality; 92: cartier, 읍면동, 법정동, varosresz, phuong xa, phuong, kecamatan, kelurahan; 90: barangay, 町名; 84: distrito; 86: community name; 90: bairro, quartiere, wijk, buurt, omrade, bydel, zona, frazione, freguesia, dzielnica, kaupunginosa, mahalle, sector, area name; 100: neighbourhood, neighborhood; 98: quartier, stadtteil, barrio; 96: subdivision name, ortsteil; 94: \
         stadtbezirk; 92: subdivision, secteur; 90: neighborhoods, bezirk; 88: colonia; 84: district, suburb; 82: \
         zona, quarter; 40: community",
        PEOPLE,
    ),
    (
        "city",
        "94: grad, grad opcina; 90: mjesto; 93: localitate, oras, quan huyen, 시군구, telepules, kota, kabupaten, kota kabupaten; 94: varos; 92: comuna, ilce, 市区町村, 市町村; 94: comune, cidade, concelho, plaats, woonplaats, postort, poststed, by, miasto, miejscowosc, obec, mesto, kaupunki, sehir, post town, posttown, town city; 100: city; 98: ville, stadt, ciudad, city name; 94: town; 92: ort, municipio, poblacion, localidad, \
         locality; 90: commune, gemeinde, localite, postal city; 88: municipality; 62: location",
        PEOPLE,
    ),
    (
        "county",
        "92: condado; 100: county, county or parish; 99: county name; 96: landkreis; 88: kreis; 86: departement; 84: comarca; 80: \
         prefecture",
        "fips id code agent office",
    ),
    (
        "region",
        "93: zupanija, judet, 시도, varmegye, megye, tinh thanh pho, tinh thanh, tinh, provinsi, propinsi; 93: canton, kanton, cantone, provincie, wojewodztwo, kraj, lan, fylke, estado provincia, 都道府県; 97: regione; 93: comunidad, governorate, emirate, prefecture; 100: state or province; 99: state code; 98: bundesland; 96: state; 94: region, province, provincia, \
         comunidad autonoma; 92: region name; 90: state name; 62: estado",
        PEOPLE,
    ),
    (
        "postal_code",
        "97: postanski broj, cod postal, 우편번호, iranyitoszam, kode pos; 98: 郵便番号, cap, cep, postnummer, postnr, postinumero, kod pocztowy, psc, posta kodu, pincode, pin code, eircode, codigo postal cp, zip postal code, zip or postal code; 100: postal code, zip code, postcode, code postal, plz, postleitzahl, codigo postal, zipcode, post code; 98: \
         zip; 84: cp",
        PEOPLE,
    ),
    ("country", "100: country, country code; 97: pays, pais, country iso; 80: land", "area size agent office use lot"),
    (
        "latitude",
        "98: zemljopisna sirina, geografska sirina, latitudine, 위도, vi do, szelesseg; 100: latitude; 98: lat, latitud, breitengrad, szerokosc geo, szerokosc geograficzna; 40: y",
        PEOPLE,
    ),
    (
        "longitude",
        "98: laengengrad, zemljopisna duzina, geografska duzina, longitudine, 경도, kinh do, hosszusag; 100: longitude; 98: lon, lng, longitud, langengrad, dlugosc geo, dlugosc geograficzna; 94: long; 40: x",
        PEOPLE,
    ),
    (
        "title",
        "94: dynamic title, naslov, objekttitel, titlu, 매물명, 제목, tieu de, judul; 94: 物件名, baslik, ilan basligi, titolo, rubrik, overskrift, tytul, otsikko, nadpis; 100: title; 99: listing title; 98: headline, titre, titel, titulo; 94: uberschrift; 92: heading; 90: listing \
         name, property name; 88: subject; 80: bezeichnung, suggested texts title",
        "agent agents agency office broker seller user city county state file source mls advertisers branding \
         community plan system school job country originating region",
    ),
    (
        "description",
        "94: descriere, 매물설명, 설명, leiras, mo ta, deskripsi; 94: descrizione, descricao, omschrijving, beskrivning, beskrivelse, opis, popis, kuvaus, aciklama; 100: public remarks; 98: description, beschreibung, descripcion; 92: remarks; 74: summary; 70: body, \
         comments; 62: text; 60: texte, details",
        "short agent image type",
    ),
    (
        "seller",
        "84: owner name, nguoi dang, nama agen; 84: agent name, agent, listing agent, list agt name, list desig agt 1 name, property consultant, sales agent name, asesor nombre, lister name, listers name, poster name, user title, negotiator, captador, asesor; 100: seller name; 94: seller, vendeur, anbieter, vendedor; 92: verkaufer; 88: anunciante; 80: contact name, user name; 70: user",
        "url id phone email type is image logo own taxpayer mail mailing",
    ),
    (
        "agency",
        "90: brand trading name, managed by, list firm 1 name, list firm name, agence nom, inmobiliaria nombre, organisations name, organization, agent company, firma; 84: branch, branch name, sucursal; 88: agentie, 중개사무소, 중개업소; 84: realtor; 88: agenzia, imobiliaria, makelaar, maklare, megler, maegler; 100: list office name, listing office name; 98: agency name; 95: agency, agence, provider, lister, advertiser, anbieter; 94: office name; 92: broker \
         name, brokerage, inmobiliaria, agencia; 90: makler, listing office; 88: agentur; 84: broker; 72: office; 66: \
         company",
        "url id phone phones email logo key buyer website fee compensation type owner owners own taxpayer mail mailing",
    ),
    (
        "images",
        "90: imagini, poze, 사진, kepek, hinh anh; 90: immagini, imagens, fotografias, bilder urls, afbeeldingen, billeder, zdjecia, kuvat; 100: images, photos; 99: image urls; 98: pictures, bilder, fotos, photo urls, imagenes; 92: image url, \
         carousel photos; 90: img src, media url, primary photo, main image; 88: image; 86: photo; 84: picture, img; \
         74: thumbnail; 66: thumb; 60: media, cover",
        "agent agency count logo has timestamp seller branding advertisers broker user",
    ),
    (
        "amenities",
        "94: amenity names; 100: amenities; 98: equipements, ausstattung; 96: equipments; 90: caracteristicas, prestations, merkmale; \
         88: features, equipment; 80: extras, interior features; 76: servicios, tags; 60: attributs; 52: appliances",
        "lot parking school",
    ),
    (
        "url",
        "90: indirizzo web, web address, property link, ad link, listing link; 100: listing url; 98: detail url, property url, details url; 97: url, ad url; 96: link, permalink, web url, \
         page url, canonical url; 92: href, lien, enlace; 90: hdp url; 88: share url; 80: uri",
        "image photo photos img logo tour video seller agent agency thumbnail media api map tours virtual branding \
         advertisers office website picture user street self",
    ),
];
