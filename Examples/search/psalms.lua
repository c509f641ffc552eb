-- A few psalms of the King James Bible, as `bible -f` prints them.
return [[
Psa1:1 Blessed is the man that walketh not in the counsel of the ungodly, nor standeth in the way of sinners, nor sitteth in the seat of the scornful.
Psa1:2 But his delight is in the law of the LORD; and in his law doth he meditate day and night.
Psa1:3 And he shall be like a tree planted by the rivers of water, that bringeth forth his fruit in his season; his leaf also shall not wither; and whatsoever he doeth shall prosper.
Psa1:4 The ungodly are not so: but are like the chaff which the wind driveth away.
Psa1:5 Therefore the ungodly shall not stand in the judgment, nor sinners in the congregation of the righteous.
Psa1:6 For the LORD knoweth the way of the righteous: but the way of the ungodly shall perish.
Psa23:1 The LORD is my shepherd; I shall not want.
Psa23:2 He maketh me to lie down in green pastures: he leadeth me beside the still waters.
Psa23:3 He restoreth my soul: he leadeth me in the paths of righteousness for his name's sake.
Psa23:4 Yea, though I walk through the valley of the shadow of death, I will fear no evil: for thou art with me; thy rod and thy staff they comfort me.
Psa23:5 Thou preparest a table before me in the presence of mine enemies: thou anointest my head with oil; my cup runneth over.
Psa23:6 Surely goodness and mercy shall follow me all the days of my life: and I will dwell in the house of the LORD for ever.
Psa46:1 God is our refuge and strength, a very present help in trouble.
Psa46:2 Therefore will not we fear, though the earth be removed, and though the mountains be carried into the midst of the sea;
Psa46:3 Though the waters thereof roar and be troubled, though the mountains shake with the swelling thereof. Selah.
Psa46:4 There is a river, the streams whereof shall make glad the city of God, the holy place of the tabernacles of the most High.
Psa46:5 God is in the midst of her; she shall not be moved: God shall help her, and that right early.
Psa46:6 The heathen raged, the kingdoms were moved: he uttered his voice, the earth melted.
Psa46:7 The LORD of hosts is with us; the God of Jacob is our refuge. Selah.
Psa46:8 Come, behold the works of the LORD, what desolations he hath made in the earth.
Psa46:9 He maketh wars to cease unto the end of the earth; he breaketh the bow, and cutteth the spear in sunder; he burneth the chariot in the fire.
Psa46:10 Be still, and know that I am God: I will be exalted among the heathen, I will be exalted in the earth.
Psa46:11 The LORD of hosts is with us; the God of Jacob is our refuge. Selah.
Psa100:1 Make a joyful noise unto the LORD, all ye lands.
Psa100:2 Serve the LORD with gladness: come before his presence with singing.
Psa100:3 Know ye that the LORD he is God: it is he that hath made us, and not we ourselves; we are his people, and the sheep of his pasture.
Psa100:4 Enter into his gates with thanksgiving, and into his courts with praise: be thankful unto him, and bless his name.
Psa100:5 For the LORD is good; his mercy is everlasting; and his truth endureth to all generations.
Psa121:1 I will lift up mine eyes unto the hills, from whence cometh my help.
Psa121:2 My help cometh from the LORD, which made heaven and earth.
Psa121:3 He will not suffer thy foot to be moved: he that keepeth thee will not slumber.
Psa121:4 Behold, he that keepeth Israel shall neither slumber nor sleep.
Psa121:5 The LORD is thy keeper: the LORD is thy shade upon thy right hand.
Psa121:6 The sun shall not smite thee by day, nor the moon by night.
Psa121:7 The LORD shall preserve thee from all evil: he shall preserve thy soul.
Psa121:8 The LORD shall preserve thy going out and thy coming in from this time forth, and even for evermore.
Psa133:1 Behold, how good and how pleasant it is for brethren to dwell together in unity!
Psa133:2 It is like the precious ointment upon the head, that ran down upon the beard, even Aaron's beard: that went down to the skirts of his garments;
Psa133:3 As the dew of Hermon, and as the dew that descended upon the mountains of Zion: for there the LORD commanded the blessing, even life for evermore.
Psa150:1 Praise ye the LORD. Praise God in his sanctuary: praise him in the firmament of his power.
Psa150:2 Praise him for his mighty acts: praise him according to his excellent greatness.
Psa150:3 Praise him with the sound of the trumpet: praise him with the psaltery and harp.
Psa150:4 Praise him with the timbrel and dance: praise him with stringed instruments and organs.
Psa150:5 Praise him upon the loud cymbals: praise him upon the high sounding cymbals.
Psa150:6 Let every thing that hath breath praise the LORD. Praise ye the LORD.
]]
